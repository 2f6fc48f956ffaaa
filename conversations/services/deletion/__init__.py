"""What goes, and what stays of it: conversations, accounts, and what is over."""
