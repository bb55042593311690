"""Declarations to lodge: the shipped samples, each under names of its own."""

import random

import msgspec

from tidewaiter.codecs.document import Reader
from tidewaiter.gateway import clock
from tidewaiter.gateway.sandbox.samples import sample

# Both syntaxes; one to three goods items; two agencies, two, and one. None is held for an officer.
MIX = ("import.edi", "plants.xml", "export.xml")
# A run's own mark in every name: two runs against one ledger never meet.
_TOKEN = 6


class Lodgeable(msgspec.Struct, frozen=True, kw_only=True):
    """A declaration nobody has lodged before."""

    sample: str
    lrn: str
    payload: bytes


class _Template(msgspec.Struct, frozen=True, kw_only=True):
    """A sample with the names in it that must differ; `interchange` is empty in XML."""

    name: str
    payload: bytes
    lrn: bytes
    interchange: bytes


class Documents:
    """Makes declarations; the same `seed` gives the same sequence of samples, `token` marks the names."""

    def __init__(self, reader: Reader, *, seed: int, token: str = "") -> None:
        self._templates = [_template(name, reader) for name in MIX]
        self._chance = random.Random(seed)
        self._token = token or clock.new_id("")[:_TOKEN]
        self._made = 0

    def new(self) -> Lodgeable:
        """The next declaration."""
        self._made += 1
        template = self._chance.choice(self._templates)
        lrn = f"LOAD-{self._token}-{self._made:06}"
        payload = template.payload.replace(template.lrn, lrn.encode())
        if template.interchange:
            # UNB 0020 has room for 14 characters.
            payload = payload.replace(template.interchange, f"{self._token}{self._made:08}".encode())
        return Lodgeable(sample=template.name, lrn=lrn, payload=payload)


def _template(name: str, reader: Reader) -> _Template:
    payload = sample(name)
    reading = reader.read(payload)
    declaration = reading.documents[0].declaration
    assert declaration is not None
    interchange = reading.interchange.reference if reading.interchange is not None else None
    lrn = declaration.functional_reference_id or ""
    return _Template(name=name, payload=payload, lrn=lrn.encode(), interchange=(interchange or "").encode())
