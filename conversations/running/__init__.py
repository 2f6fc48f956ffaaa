"""Background work of a process: it runs turns and titles under a lease, and stops them.

`engine.engine()` is the entry point: one engine per process, which starts the work in `settings.COLLOQUY_WORK`.
"""
