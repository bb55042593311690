"""The operator's port: health, metrics and the exits of dead letters, under a ready-made server."""

from .server import bind_operations, operations_app, serve_operations

__all__ = ["bind_operations", "operations_app", "serve_operations"]
