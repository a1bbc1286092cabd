"""Pure decisions of the door: who is let in, what a message hides, what an approval needs. No I/O."""
