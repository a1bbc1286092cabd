"""The outside: the keyfile, webhooks, the clock's brake. Chosen in app.py only."""
