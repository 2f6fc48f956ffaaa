"""The project: settings, URLs, the server, and the commands that are not of one app."""

import gc

# Python's own threshold has the collector look through what is being imported a hundred times over: a sixth of what
# starting a process takes, and no garbage in it. Long-lived processes do not need it so often either.
gc.set_threshold(20_000, 20, 100)
