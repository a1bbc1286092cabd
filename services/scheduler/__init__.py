"""Time: ticks become due slots, slots become run requests, every slot is settled.

Owns: schedules, slots.
Consumes: agent.changed, run.started/finished, clock, its own schedule.due_left.
Emits: run.requested, schedule.due_left.
"""
