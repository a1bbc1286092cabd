"""How the platform itself reaches addresses it was given. Start with `client`."""
