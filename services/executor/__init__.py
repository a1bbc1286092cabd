"""Runs versions in sandboxes.

Owns: runs, run_entries, run_feeds, attempts, artifacts, states, environments, version_environments, looks,
permission_requests.
Consumes: conversation.look_requested, plan.version_published, run.*, delivery.settled, permission.decided, clock.
Emits: environment.*, conversation.look_finished, run.started/attempt_ended/parked/finished/settled,
delivery.requested, usage.lease_closed.
"""
