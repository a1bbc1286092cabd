"""Installed packages, one folder per lock, made once."""
