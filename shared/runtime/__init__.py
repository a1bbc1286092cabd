"""The one settings reader, the one place that chooses adapters, the shell every service runs in."""
