"""The operator's port: health and metrics, under a ready-made server."""

from .server import operations_app, serve_operations

__all__ = ["operations_app", "serve_operations"]
