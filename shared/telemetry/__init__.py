"""What the platform tells its operator about itself: traces, numbers, log lines. Never what a person wrote.

Read next: `trace.py`, `metrics.py` (the closed list), `otlp.py` (where both go), `logs.py`.
"""
