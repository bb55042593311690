"""UNECE directory archives, as published, to our own tables. Bytes in, values out.

The tables in `conf/directories` are made by it, too, one release each:
`tidewaiter directory add d96b.zip --dir conf --only APERAK,CUSCAR,CUSDEC,CUSEXP,CUSREP,CUSRES,GOVCBR,PAXLST`.
`d.3.json` and `4.1.json` there are written by hand: service segments and messages are in no archive.
"""

from .error import ArchiveError
from .table import Compiled, compile_archive, encode_table

__all__ = ["ArchiveError", "Compiled", "compile_archive", "encode_table"]
