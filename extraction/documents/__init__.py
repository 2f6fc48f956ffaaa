"""Documents: their types, their text with the places of pages, and their division into parts.

What a file makes of that is decided by whoever sent it, so the modules that parse files are imported by task processes
only (extraction/reading.py sends them the work), and by tests. None of them imports Django.
"""
