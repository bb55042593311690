"""The facts beside a figure."""

import pathlib

import pytest

from tidewaiter.gateway.sandbox import machine as room
from tidewaiter.gateway.sandbox.machine import UNKNOWN, machine


def test_the_facts_stand_in_one_line(tmp_path: pathlib.Path) -> None:
    facts = machine(tmp_path)
    assert facts.cores >= 1
    assert facts.python.startswith("3.")
    assert f"{facts.cores} cores" in str(facts)
    assert "\n" not in str(facts)


def test_the_innermost_mount_counts(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    inner = tmp_path / "inner"
    inner.mkdir()
    mounts.write_text(f"disk / ext4 rw 0 0\nmemory {inner} tmpfs rw 0 0\nother {tmp_path}/in xfs rw 0 0\n")
    monkeypatch.setattr(room, "_MOUNTS", mounts)
    assert machine(inner).filesystem == "tmpfs"
    assert machine(tmp_path).filesystem == "ext4"


def test_a_system_that_tells_nothing_is_no_failure(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_MOUNTS", tmp_path / "absent")
    monkeypatch.setattr(room, "_CPUINFO", tmp_path / "absent")
    facts = machine(tmp_path)
    assert facts.filesystem == UNKNOWN
    assert facts.processor
