"""Who may do what: users, credentials, shares, and who has looked."""
