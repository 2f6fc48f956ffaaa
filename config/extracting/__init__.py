"""The command `manage.py extract`: extracts data from files over the API of a running server."""
