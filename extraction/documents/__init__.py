"""Documents: their types, their text with the places of pages, and their division into parts.

A file's sender decides how expensive it is, so the modules that parse files are imported by task processes only
(extraction/reading.py sends them the work), and by tests. None of them imports Django.
"""
