"""Measures the load engine beside its peers: ``python -m bench`` prints a table and writes results.json.

Everything runs on loopback, one generator at a time, against one server of our own (``server.py``). A section
is one module with ``measure(stage) -> list[Figure]``; docs/bench.md says what each figure is and is not.
"""
