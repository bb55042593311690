"""Keys, certificates and agreements that change on disk are taken up while messages flow.

A watcher looks at the files about once a second. What it finds changed, and finds the same at the next look,
is loaded beside what is in use, whole, and only a state that would pass at the start takes its place: in the
one `Parties`, and in the TLS contexts of the connections to come. Anything else (a certificate whose key is
not there yet, half a file) leaves what is in use in use, is logged once, and is tried again when a file
changes next; at the next look where it was the machine that failed.

What the gateway is built upon (ports, ledger, limits, the set of agencies, routes) stays as it was started
with; a change of it is logged as waiting for a restart.

A key of ours that is replaced in its file goes on decrypting in memory as long as its certificate is valid:
what was encrypted to it may be on its way. It ends with the process, or when its file is no longer named.
"""

import contextlib
import errno
import pathlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple, TypeVar

import anyio
import anyio.to_thread
import msgspec
import structlog

from ..routing.instant import Instant
from ..security import fingerprint
from . import clock, resources
from .config import AgencySettings, Config, GatewaySettings, load_parties
from .parties import Parties
from .soundness import Doubt, Grade, check_sound
from .tls_contexts import Prepared, TlsContexts
from .toml import ConfigError, toml_files
from .watch import Watch

log = structlog.get_logger()

# An operator who has replaced a file looks at the log; a thousand files are looked at in some milliseconds.
POLL_SECONDS = 1.0

# What is taken up of the gateway's own settings and of an agency's; of a partner's, all is.
_OURS = ("signing", "decryption", "tls", "as2_url")
_AGENCY_S = ("as2", "certificates", "server_certificates")
# Read at the start only.
_STATIC = ("routes.toml", "sla.toml")
_FOLDERS = ("partners", "agencies")
# What the machine says of a file that is as good as before: it passes without any file changing.
_PASSING = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO, errno.EAGAIN, errno.ESTALE))


class Reloader:
    """Brings `parties` and `contexts` up to date with the files and with the date."""

    def __init__(
        self, parties: Parties, contexts: TlsContexts, now: Callable[[], Instant] = clock.instant
    ) -> None:
        self._parties = parties
        self._contexts = contexts
        self._now = now
        self._folder = parties.config.folder
        self._watch = Watch(now)
        self._watch.look((*self._settings(), *_named(parties.config)))
        # Whoever read the files a moment ago may have read others.
        self._is_due = self._watch.is_young
        self._changes: set[pathlib.Path] = set()
        self._folders = self._there()
        self._static = {name: self._bytes(name) for name in _STATIC}
        self._refusal = ""
        self._waiting: tuple[str, ...] = ()
        self._doubts: frozenset[Doubt] = frozenset()
        self._lock = anyio.Lock()

    async def run(self) -> None:
        """Check again and again, until cancelled."""
        while True:
            await anyio.sleep(POLL_SECONDS)
            await self.check()

    async def check(self) -> bool:
        """Take up what has changed since the look before the last, if it can be used; True if something was.
        Messages under way end with what they began with. Raises nothing: a gateway that cannot look at its
        files goes on with what it has."""
        async with self._lock:
            try:
                return await self._take_up() or self._turn()
            except Exception as error:  # the border: whatever a file or the machine does ends no message
                self._refuse(error)
            with contextlib.suppress(Exception):  # told a line above
                return self._turn()
            return False

    async def _take_up(self) -> bool:
        changed = await anyio.to_thread.run_sync(self._changed)
        self._changes |= changed
        self._is_due |= bool(changed)
        # Somebody is still writing: half a file may be all that a shorter one would be.
        if changed or not self._is_due:
            return False
        self._is_due = False
        found = await anyio.to_thread.run_sync(self._load)
        if found is None:
            self._is_due = True
            return False
        # Nothing is awaited from here on: no message sees one without the other.
        self._parties.replace(found.parties, clock.utc(self._now()))
        self._contexts.take(found.contexts)
        if self._changes:
            files = sorted(str(file).removeprefix(f"{self._folder}/") for file in self._changes)
            log.info("reloaded", files=files, signing=fingerprint(self._parties.signer.certificate))
        self._changes, self._refusal = set(), ""
        self._tell(found)
        return True

    def _refuse(self, error: Exception) -> None:
        """Log what keeps the files from being taken up, once. Errors of others are not quoted: they may hold
        what the file holds."""
        self._is_due |= not isinstance(error, ConfigError) or _is_passing(error)
        told = isinstance(error, ConfigError | OSError)
        reason = str(error) if told else f"{type(error).__name__} while reading {self._folder}"
        if reason != self._refusal:
            self._refusal = reason
            log.error("reload_refused", reason=reason)

    def _turn(self) -> bool:
        if not self._parties.turn(clock.utc(self._now())):
            return False
        log.info("certificates_turned", signing=fingerprint(self._parties.signer.certificate))
        return True

    def _tell(self, found: "_Found") -> None:
        """Log what a person should look at, once."""
        for doubt in found.doubts:
            if doubt not in self._doubts:
                tell = log.error if doubt.grade is Grade.FAULT else log.warning
                tell("configuration", file=str(doubt.file), reason=doubt.text)
        self._doubts = frozenset(found.doubts)
        if found.waiting and found.waiting != self._waiting:
            log.warning("restart_needed", changed=list(found.waiting))
        self._waiting = found.waiting

    def _changed(self) -> set[pathlib.Path]:
        """Runs in a thread."""
        return self._watch.look({*self._settings(), *self._watch.files})

    def _load(self) -> "_Found | None":
        """Everything as the files have it now; None where they have to be looked at once more. Runs in a
        thread, and changes only the watch and what is due."""
        now = clock.utc(self._now())
        config, waiting, gone = self._merged(self._parties.config)
        named = set(_named(config))
        if unseen := named - self._watch.files:
            self._watch.look(unseen)
            return None
        parties = Parties(config, now, self._parties, gone=gone)
        contexts = self._contexts.prepare(parties)
        doubts = self._doubts_of(parties, now)
        if changed := self._changed():
            self._changes |= changed
            return None
        self._watch.keep({*self._settings(), *named})
        self._folders |= self._there()
        return _Found(parties, contexts, doubts, waiting)

    def _doubts_of(self, parties: Parties, now: datetime) -> tuple[Doubt, ...]:
        """Raises ConfigError for what would not pass at the start, unless it is so of what is in use, too."""
        try:
            return check_sound(parties.config, parties, now)
        except ConfigError as error:
            try:
                check_sound(self._parties.config, self._parties, now)
            except ConfigError as before:
                if str(before) == str(error):
                    return ()
            raise

    def _merged(self, running: Config) -> tuple[Config, tuple[str, ...], frozenset[str]]:
        """What is on disk as far as it can be taken up, what of it waits for a restart, and the agencies that
        are gone."""
        for name in sorted(self._folders - self._there()):
            raise ConfigError(self._folder / name, "is gone, and with it everybody in it")
        gateway, partners, agencies = load_parties(self._folder)
        waiting = [name for name in _STATIC if self._bytes(name) != self._static[name]]
        ours = _with(running.gateway, gateway, _OURS)
        waiting += [f"gateway.toml: {key}" for key in _others(ours, gateway)]
        kept: dict[str, AgencySettings] = {}
        for name, agency in running.agencies.items():
            file = f"agencies/{name}.toml"
            if name not in agencies:
                kept[name] = agency
                waiting.append(f"{file}: is gone")
                continue
            kept[name] = _with(agency, agencies[name], _AGENCY_S)
            waiting += [f"{file}: {key}" for key in _others(kept[name], agencies[name])]
        waiting += [f"agencies/{name}.toml: is new" for name in agencies if name not in kept]
        config = msgspec.structs.replace(running, gateway=ours, partners=partners, agencies=kept)
        return config, tuple(waiting), frozenset(kept.keys() - agencies.keys())

    def _there(self) -> frozenset[str]:
        """The folders of parties that there are."""
        return frozenset(name for name in _FOLDERS if (self._folder / name).is_dir())

    def _settings(self) -> Iterator[pathlib.Path]:
        yield self._folder / "gateway.toml"
        yield from (self._folder / name for name in _STATIC)
        yield self._folder / resources.ALGORITHMS
        for kind in _FOLDERS:
            yield from toml_files(self._folder / kind)

    def _bytes(self, name: str) -> bytes:
        try:
            return self._folder.joinpath(name).read_bytes()
        except OSError:
            return b""


def _is_passing(error: BaseException | None) -> bool:
    """Whether the machine failed, having no descriptors, say: then no file has to change."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _PASSING:
            return True
        error = error.__context__
    return False


class _Found(NamedTuple):
    """A state that can be used."""

    parties: Parties
    contexts: Prepared
    doubts: tuple[Doubt, ...]
    waiting: tuple[str, ...]


_Settings = TypeVar("_Settings", GatewaySettings, AgencySettings)


def _with(running: _Settings, found: _Settings, names: Iterable[str]) -> _Settings:
    """`running` with what `found` says of `names`."""
    return msgspec.structs.replace(running, **{name: getattr(found, name) for name in names})


def _others(taken: _Settings, found: _Settings) -> Iterator[str]:
    """The keys in which `found` differs from what was taken of it."""
    for field in msgspec.structs.fields(taken):
        if getattr(taken, field.name) != getattr(found, field.name):
            yield field.encode_name


def _named(config: Config) -> Iterator[pathlib.Path]:
    """Every PEM file that `config` names."""
    ours = config.gateway
    names = [
        name
        for pair in (*ours.signing_keys, *ours.decryption, ours.tls)
        for name in (pair.certificate, pair.key)
    ]
    for _, party in config.everybody():
        names += [*party.certificates, *party.server_certificates]
        if (as2 := party.as2) is not None:
            names += [*as2.certificates, *as2.signing_certificates]
            names += [*as2.encryption_certificates, *as2.authorities]
    yield from map(config.path, names)
