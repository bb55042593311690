"""Cryptographic messages, certificates and keys. A leaf: it knows neither codecs nor the gateway."""
