"""Tokens, money and the record.

Owns: budgets, agent_days, leases, usage.
Consumes: conversation.message_received, run.requested/parked/finished, usage.*, clock.
Emits: conversation.turn_funded/turn_refused, run.funded/refused, usage.lease_recalled.
"""
