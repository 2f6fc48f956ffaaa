"""Rounds of conversations under faults, and the invariants that must hold after each.

    python -m tests.chaos --rounds 200 --seed 1

Real processes on one real PostgreSQL; users who talk through REST, SSE and WebSocket; and meanwhile processes are
killed and stopped, Postgres is restarted, connections are cut. A round's plan follows from its seed alone.
"""
