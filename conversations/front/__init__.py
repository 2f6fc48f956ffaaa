"""The chat page, and the login before it: a client of the API like any other, in the browser."""
