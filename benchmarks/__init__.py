"""Benchmarks, each beside its floor."""
