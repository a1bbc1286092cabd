"""The engine with a model: a durable state machine of model turns.

Start at `turn.py`; `tools.py` has what the model can do, `acting.py` does it.
"""
