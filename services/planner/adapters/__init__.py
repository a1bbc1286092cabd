"""Engines behind the planner's port, one file per technology."""
