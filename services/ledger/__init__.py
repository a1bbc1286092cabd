"""Tokens, money and the record.

Owns: budgets, leases, usage.
Consumes: conversation.message_received, run.requested/parked/finished, usage.*, clock.
Emits: conversation.turn_funded/turn_refused, run.funded/refused.
"""
