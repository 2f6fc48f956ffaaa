"""Documents: what they are, their text with the places of their pages, and their division into parts for requests.

What a file makes of that is decided by whoever sent it, so the modules that parse files are imported by task processes
only (extraction/reading.py sends them the work), and by tests. None of them imports Django.
"""
