"""Secrets at rest: an envelope per secret, the keys that wrap, and the one way to read a secret again.

Used by gateway (seals, sends) and executor (fills placeholders); the planner may open connections alone.
Read next: `keyring.py`, `envelope.py`, `reveal.py`, `connections.py`.
"""
