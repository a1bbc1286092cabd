"""Reads pages politely, finds the list on each, and tells what changed since last time.

Start with `main.py` beside this folder; then `extract.py` (how a list is found) and `compare.py`.
"""
