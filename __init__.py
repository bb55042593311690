"""Tidewaiter: a customs message gateway for a Single Window."""

__version__ = "0.1.0"
