"""Codecs: bytes to values and values to bytes. Leaves: they import neither the gateway nor security."""
