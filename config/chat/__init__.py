"""The chat in the terminal, a client of the platform's API: input (prompt), requests (client) and output (screen)."""
