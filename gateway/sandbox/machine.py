"""The facts about a machine without which a measured figure means nothing."""

import os
import pathlib
import platform
import ssl

import cryptography
import msgspec

_CPUINFO = pathlib.Path("/proc/cpuinfo")
_MOUNTS = pathlib.Path("/proc/self/mounts")
UNKNOWN = "unknown"


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What a figure was measured on. `load` is how many processes wanted to run in the last minute: above
    `cores` the figures are of a crowded machine."""

    processor: str
    cores: int
    load: float
    system: str
    python: str
    cryptography: str
    openssl: str
    filesystem: str

    def __str__(self) -> str:
        return (
            f"{self.cores} cores ({self.processor}), load {self.load:.1f}, {self.system}, "
            f"{self.filesystem}, Python {self.python}, cryptography {self.cryptography}, {self.openssl}"
        )


def machine(folder: pathlib.Path) -> Machine:
    """The machine as it is now; `folder` is where the ledger lies."""
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        load=os.getloadavg()[0],
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        cryptography=cryptography.__version__,
        openssl=ssl.OPENSSL_VERSION,
        filesystem=_filesystem(folder),
    )


def _processor() -> str:
    for line in _lines(_CPUINFO):
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine() or UNKNOWN


def _filesystem(folder: pathlib.Path) -> str:
    """Its type: an fsync to memory costs nothing, and proves nothing."""
    path, found, length = str(folder.resolve()), UNKNOWN, -1
    for line in _lines(_MOUNTS):
        _, point, kind, *_ = line.split()
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        if inside and len(point) > length:
            found, length = kind, len(point)
    return found


def _lines(file: pathlib.Path) -> list[str]:
    """The lines of `file`; none on a system that has no such file."""
    try:
        return file.read_text(errors="replace").splitlines()
    except OSError:
        return []
