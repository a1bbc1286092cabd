"""Secrets at rest: an envelope per secret, a local keyfile, and the one way to read a secret again.

Used by gateway (seals, sends) and executor (fills placeholders); the planner may open connections alone.
Read next: `envelope.py`, `reveal.py`, `connections.py`.
"""
