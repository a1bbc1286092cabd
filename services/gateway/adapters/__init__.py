"""The outside: the vault, webhooks, the clock's brake. Chosen in app.py only."""
