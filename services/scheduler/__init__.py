"""Time: ticks become due slots, slots become run requests, every slot is settled.

Owns: schedules, slots.
Consumes: agent.changed, run.started/parked/finished/settled, clock.
Emits: run.requested.
"""
