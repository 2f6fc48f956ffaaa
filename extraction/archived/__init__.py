"""Exporting and importing schemas and extractions as lines of archives."""
