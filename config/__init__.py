"""The project: settings, URLs, the server, and the commands that are not of one app."""

import gc

# With Python's default threshold, garbage collection runs a hundred times during the imports, which have no garbage: a
# sixth of the time of starting a process. Long-lived processes do not need it so often either.
gc.set_threshold(20_000, 20, 100)
