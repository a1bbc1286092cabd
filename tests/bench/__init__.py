"""Measures the real application beside its limits and writes docs/performance.md. Reports, never asserts."""
