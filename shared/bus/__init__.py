"""Durable delivery of events. `port` says what a bus promises; `dispatch` turns events into commits."""
