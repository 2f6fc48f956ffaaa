"""Schemas and extractions in archives: as lines, and out of them."""
