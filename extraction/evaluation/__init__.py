"""Evaluating extracted data against expected data, field by field. Pure."""
