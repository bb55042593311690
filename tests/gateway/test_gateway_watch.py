"""Files that changed are told by their content, and a young file is never believed by its stamp."""

import os
import pathlib

import pytest

from tidewaiter.gateway.watch import YOUNG_NS, Watch
from tidewaiter.routing.instant import Instant


class Clock:
    """Some time after a file was written."""

    def __init__(self, file: pathlib.Path) -> None:
        self.ns = max(file.stat().st_mtime_ns, file.stat().st_ctime_ns)

    def __call__(self) -> Instant:
        return Instant(utc_ns=self.ns, monotonic_ns=0, process="test")


def made(folder: pathlib.Path) -> tuple[pathlib.Path, Clock, Watch]:
    file = folder / "file"
    file.write_bytes(b"one")
    now = Clock(file)
    return file, now, Watch(now)


def test_new_changed_and_gone(tmp_path: pathlib.Path) -> None:
    file, _, watch = made(tmp_path)
    assert watch.look([file, tmp_path / "none"]) == {file}
    assert watch.look([file, tmp_path / "none"]) == set()
    file.write_bytes(b"two")
    assert watch.look([file]) == {file}
    file.unlink()
    assert watch.look([file]) == {file}
    assert watch.look([file]) == set()


def test_the_same_content_is_no_change(tmp_path: pathlib.Path) -> None:
    file, _, watch = made(tmp_path)
    watch.look([file])
    os.utime(file, ns=(1, 1))
    other = tmp_path / "other"
    other.write_bytes(b"one")
    other.replace(file)
    assert watch.look([file]) == set()


def test_a_young_file_is_read_whatever_its_stamp(tmp_path: pathlib.Path) -> None:
    """Written again within the grain of the clock, to the same size."""
    file, now, watch = made(tmp_path)
    now.ns += YOUNG_NS - 1
    watch.look([file])
    assert watch.is_young
    before = file.stat()
    file.write_bytes(b"two")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert watch.look([file]) == {file}


def test_an_old_file_is_not_read_again(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, now, watch = made(tmp_path)
    now.ns += YOUNG_NS
    watch.look([file])
    assert not watch.is_young
    monkeypatch.setattr(pathlib.Path, "read_bytes", lambda _: pytest.fail("read again"))
    assert watch.look([file]) == set()


def test_a_link_that_points_elsewhere(tmp_path: pathlib.Path) -> None:
    """As secrets are mounted: a folder beside, and the link to it replaced."""
    for name in ("1", "2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "key").write_text(name)
    link = tmp_path / "now"
    link.symlink_to("1")
    watch = Watch(Clock(link / "key"))
    watch.look([link / "key"])
    beside = tmp_path / "beside"
    beside.symlink_to("2")
    beside.replace(link)
    assert watch.look([link / "key"]) == {link / "key"}


def test_what_is_not_kept_is_forgotten(tmp_path: pathlib.Path) -> None:
    file, _, watch = made(tmp_path)
    watch.look([file])
    watch.keep([])
    assert watch.files == frozenset()
    assert watch.look([file]) == {file}


def test_a_name_that_no_system_takes_is_not_there(tmp_path: pathlib.Path) -> None:
    _, _, watch = made(tmp_path)
    assert watch.look([tmp_path / "a\0b"]) == set()
