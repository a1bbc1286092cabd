"""The agent file: what an agent is, as values. Pure. Start with `model`."""
