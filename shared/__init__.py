"""What every service stands on: mechanism only. See design section 10 and `.importlinter`."""
