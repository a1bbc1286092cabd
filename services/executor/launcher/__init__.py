"""The small process that starts sandboxes: one thread, the standard library only, no secrets, may be root.

docs/decisions/0009-launcher-process.md says why it is a process of its own.
"""
