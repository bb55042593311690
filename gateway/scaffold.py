"""A starter configuration: a whole folder that `serve` can run, with keys made for it and samples to lodge.

The texts are the templates in `conf/starter/`; `@name@` in them stands for a value.
"""

import pathlib
from collections.abc import Iterator
from datetime import datetime
from importlib.resources.abc import Traversable

import msgspec

from ..security import make_self_signed
from .resources import shipped
from .sandbox.samples import SAMPLES, sample

# Two years: long enough for a pilot, short enough that changing certificates is practised.
CERTIFICATE_DAYS = 730
# Whoever reads a private key is the party it belongs to.
PRIVATE, FOLDER = 0o600, 0o700
LOCAL = ("localhost", "127.0.0.1")

# (name, kind of key): the gateway and all that speak AS2 use RSA, which every AS2 product has; TLS alone is
# cheaper on a curve.
_KEYS = (
    ("gateway", "rsa2048"),
    ("gateway-tls", "p256"),
    ("trader", "rsa2048"),
    ("customs", "rsa2048"),
    ("agriculture", "p256"),
    ("health", "p256"),
)


class ScaffoldError(Exception):
    """The folder cannot take a starter configuration; nothing was written."""


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """The ports of a starter configuration: the gateway's own, and those of the parties it calls."""

    https: int = 8443
    http: int = 8080
    operations: int = 9090
    trader: int = 8181
    customs: int = 8281
    agriculture: int = 8282
    health: int = 8283


def make_starter(
    folder: pathlib.Path,
    *,
    now: datetime,
    ports: Ports | None = None,
    loop: str = "trio",
    record: str = "",
) -> tuple[pathlib.Path, ...]:
    """Write a configuration, keys and samples into `folder`, and return the files made.

    `record` is the folder in which the sandbox keeps messages, if any. `folder` may exist and hold other
    things. Raises ScaffoldError where one of the files is already there (nothing is overwritten, nothing
    written), OSError where the folder cannot be written.
    """
    values = {name: str(port) for name, port in msgspec.structs.asdict(ports or Ports()).items()}
    values |= {"loop": loop, "year": str(now.year), "record": record}
    texts = {path: _filled(text, values) for path, text in _templates(shipped("starter"))}
    texts |= {pathlib.PurePath("samples", name): sample(name) for name in SAMPLES}
    secrets = {pathlib.PurePath("keys", f"{name}.{end}") for name, _ in _KEYS for end in ("pem", "key")}
    for path in sorted({*texts, *secrets}):
        if (folder / path).exists():
            raise ScaffoldError(f"{folder / path} is already there; nothing was written")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "keys").mkdir(mode=FOLDER, exist_ok=True)
    made = [_write(folder / path, content) for path, content in sorted(texts.items())]
    return (*made, *_keys(folder / "keys", now))


def _templates(
    source: Traversable, inside: pathlib.PurePath = pathlib.PurePath()
) -> Iterator[tuple[pathlib.PurePath, bytes]]:
    for entry in source.iterdir():
        if entry.is_dir():
            yield from _templates(entry, inside / entry.name)
        elif entry.name.endswith(".toml"):
            yield inside / entry.name, entry.read_bytes()


def _filled(text: bytes, values: dict[str, str]) -> bytes:
    for name, value in values.items():
        text = text.replace(f"@{name}@".encode(), value.encode())
    return text


def _keys(folder: pathlib.Path, now: datetime) -> Iterator[pathlib.Path]:
    for name, kind in _KEYS:
        certificate, key = make_self_signed(
            f"{name} (Tidewaiter starter)", now=now, days=CERTIFICATE_DAYS, key=kind, hosts=LOCAL
        )
        yield _write(folder / f"{name}.pem", certificate)
        yield _write(folder / f"{name}.key", key, mode=PRIVATE)


def _write(file: pathlib.Path, content: bytes, mode: int | None = None) -> pathlib.Path:
    file.parent.mkdir(exist_ok=True)
    # Created with its mode: a key is at no moment readable by others.
    file.touch(mode=0o666 if mode is None else mode, exist_ok=False)
    file.write_bytes(content)
    return file
