"""The life of a turn in the database: begun, run, ended; and what is said in it."""
