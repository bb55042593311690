"""Which files have changed, told by their content."""

import hashlib
import pathlib
from collections.abc import Callable, Iterable
from typing import NamedTuple

from ..routing.instant import Instant

# A file written twice within the grain of its time stamp looks the same after the second time. The coarsest
# grain in use is two seconds; the rest is for clocks of file servers that differ from ours.
YOUNG_NS = 10 * 10**9


class _Seen(NamedTuple):
    """A file as it was: nothing of it where there was none."""

    stamp: tuple[int, ...]
    digest: bytes
    is_young: bool


_ABSENT = _Seen((), b"", is_young=False)


class Watch:
    """Remembers files as they were when it last looked. It reads only those whose stamp has changed, or is so
    new that it tells nothing."""

    def __init__(self, now: Callable[[], Instant]) -> None:
        self._now = now
        self._seen: dict[pathlib.Path, _Seen] = {}

    def look(self, files: Iterable[pathlib.Path]) -> set[pathlib.Path]:
        """Remember each of `files` as it is, and return those that differ from what was remembered; one that
        was not remembered counts if it is there. Raises nothing: a file that cannot be read is not there."""
        changed = set()
        for file in files:
            before = self._seen.get(file, _ABSENT)
            after = self._seen[file] = self._look(file, before)
            if after.digest != before.digest:
                changed.add(file)
        return changed

    def keep(self, files: Iterable[pathlib.Path]) -> None:
        """Forget all others."""
        kept = set(files)
        self._seen = {file: seen for file, seen in self._seen.items() if file in kept}

    @property
    def files(self) -> frozenset[pathlib.Path]:
        """Those that are remembered."""
        return frozenset(self._seen)

    @property
    def is_young(self) -> bool:
        """Whether a file was written so lately that who read it before may have read something else."""
        return any(seen.is_young for seen in self._seen.values())

    def _look(self, file: pathlib.Path, before: _Seen) -> _Seen:
        try:
            status = file.stat()
            stamp = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_dev)
            age = self._now().utc_ns - max(status.st_mtime_ns, status.st_ctime_ns)
            if stamp == before.stamp and not before.is_young:
                return before
            return _Seen(stamp, hashlib.sha256(file.read_bytes()).digest(), age < YOUNG_NS)
        except (OSError, ValueError):  # ValueError: a name with a NUL
            return _ABSENT
