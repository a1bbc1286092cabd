"""What runs inside builder sandboxes: this folder is all they see of the platform. Standard library only."""
