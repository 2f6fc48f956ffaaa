"""Uploaded files: checked, stored once by their hash, removed."""
