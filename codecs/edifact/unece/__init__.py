"""UNECE directory archives, as published, to our own tables. Bytes in, values out."""

from .error import ArchiveError
from .table import Compiled, compile_archive, encode_table

__all__ = ["ArchiveError", "Compiled", "compile_archive", "encode_table"]
