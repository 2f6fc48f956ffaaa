"""The cost of relaying streams, as ratios to a relay that stores nothing.

    python -m tests.benchmarks --streams 400

An upstream sends 30 deltas a second on each of N streams; clients read them through a real server process over SSE,
then over WebSocket; and, where Node is there, through Express with @anthropic-ai/sdk as its documentation shows it.
"""
