"""Documents ⇄ model through the Store port. Every collection and query shape stands in `shapes.py`."""
