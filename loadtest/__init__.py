"""Load tests against a running gateway."""
