"""The API's documents compared with its behaviour."""
