"""From conversation to version.

Owns: conversations, conversation_entries, plans, versions, builds.
Consumes: conversation.*, plan.decided/edited, environment.*, run.started/finished, agent.changed, clock.
Emits: conversation.look_requested, plan.version_published/version_ready, run.requested, usage.lease_closed.
"""
