"""What measures a finished run: `measure.py` inside a sandbox, `facts.py` on the trusted side of it."""
