"""Switch the garbage collector off: the first module that a process imports which will only be forked."""

import gc

gc.disable()
