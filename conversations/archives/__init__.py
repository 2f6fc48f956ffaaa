"""A user's data as one archive: exports, and imports of our archives and those of claude.ai and ChatGPT."""
