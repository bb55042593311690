"""Agencies and a trader to try a gateway with: real listeners and messages, scripted officers."""
