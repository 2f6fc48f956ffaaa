"""The command `manage.py extract`: files in, what was extracted from them out, over the API of a running server."""
