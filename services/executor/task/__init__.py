"""The trusted process around a sandbox elsewhere: fetches an attempt's work, runs it, reports. Read next: work.py."""
