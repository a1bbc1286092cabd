"""From conversation to version.

Owns: conversations, conversation_entries, conversation_live, plans, versions, builds, build_turns, meters.
Consumes: conversation.*, connection.typed, plan.decided/edited, environment.*, run.started/finished, agent.changed,
    clock.
Emits: conversation.look_requested/packages_requested/turn_awaited, connection.tested, plan.version_published,
    plan.version_ready, run.requested, usage.tokens_used/lease_closed.
"""
