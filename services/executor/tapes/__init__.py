"""Tapes: what entered an attempt, recorded, kept, played again. Start with taped.py; recording.py, replay.py."""
