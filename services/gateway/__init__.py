"""The door: people and channels in and out.

Owns users, workspaces, sessions, agents, grants, requests, secrets, deliveries, notices, practice, changes.
Consumes run.*, delivery.requested, plan.version_ready, the tick. Emits conversation.message_received,
plan.decided, agent.changed, run.requested, delivery.settled and what else a person asks for.
"""
