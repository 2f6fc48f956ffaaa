"""The terminal's chat, a client of the platform's API: what is asked (prompt), how (client) and shown (screen)."""
