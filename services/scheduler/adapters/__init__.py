"""The world outside, for deploying: who sends the tick on Google Cloud."""
