"""The program that runs inside a sandbox, before and around the code it was started for."""
