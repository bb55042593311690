"""What a CMS structure shows to everybody, as values: for looking at messages, never for deciding on them."""

from .structures import carried_certificates, carried_content, inspect

__all__ = ["carried_certificates", "carried_content", "inspect"]
