"""Switches the garbage collector off; to be imported first in a process that only forks others."""

import gc

gc.disable()
