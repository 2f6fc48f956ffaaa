"""What a process does besides answering requests: it runs turns and titles under its lease, and stops them.

`engine.engine()` is the way in: one engine per process, which starts the work that `settings.COLLOQUY_WORK` names.
"""
