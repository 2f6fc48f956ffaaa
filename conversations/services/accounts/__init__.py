"""Users, credentials, shares, and the access log."""
