"""Background work of a process: it runs turns and titles under a lease, and stops them.

`engine.engine()` is the way in: one engine per process, which starts the work that `settings.COLLOQUY_WORK` names.
"""
