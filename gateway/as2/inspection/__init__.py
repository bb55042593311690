"""Looking into a stored message, without keys and with: what came, layer by layer, and what it amounts to."""

from .messages import inspect, layers
from .stored import NotStored, Stored, read_stored
from .values import Inspection, Layer, Means

__all__ = ["Inspection", "Layer", "Means", "NotStored", "Stored", "inspect", "layers", "read_stored"]
