"""The chat page and its login: an ordinary client of the API, in the browser."""
