"""The extraction page: its shells, which the browser fills over the API."""
