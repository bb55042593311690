"""Benchmarks: what a stage costs, as a multiple of the cryptography that nothing can do without."""
