"""What the executor and the process around a sandbox elsewhere send one another. Read next: messages.py."""
