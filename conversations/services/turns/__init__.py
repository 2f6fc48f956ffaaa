"""The life of a turn in the database: begun, run, ended; and its messages."""
