"""The planner that needs no model: composes an agent from known parts, for a request in Korean or English.

Start with `engine.py`; `watch/` is the code an agent gets, `look/` the program that looks first.
"""
