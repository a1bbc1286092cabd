"""The egress gateway: the one way out of a sandbox. Start with `gateway`, then `model`."""
