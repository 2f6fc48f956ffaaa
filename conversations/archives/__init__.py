"""All of a user as one archive, and back: exports, and imports of ours, claude.ai's and ChatGPT's."""
