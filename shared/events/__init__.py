"""Facts that travel between services: one module per subject, one topic per module, listed in `catalog`."""
