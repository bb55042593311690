"""Commands of the operator: run it, set it up, check it, add who may use it."""

import functools
import pathlib
import shlex
import signal
import sys
from datetime import UTC, datetime

import anyio
import msgspec
import structlog
from cryptography.hazmat.primitives.serialization import Encoding

from ...security import SecurityError, fingerprint, load_certificates
from .. import resources
from ..app import open_gateway
from ..config import NAME, Config, load_config
from ..ledger import LedgerError
from ..parties import Parties
from ..scaffold import ScaffoldError, make_starter
from ..soundness import Grade, check_sound
from ..toml import ConfigError
from .complaint import complain
from .console import say
from .keys_view import as_json as as_json_keys
from .keys_view import in_change, our_keys, their_keys
from .log import log_to_stderr

log = structlog.get_logger()

OK, FAILED = 0, 1
CHANNELS, SYNTAXES = ("https", "as2"), ("xml", "edifact")


def serve(folder: pathlib.Path) -> int:
    """Run the gateway in `folder` until SIGTERM or SIGINT. 2: configuration or ledger cannot be used."""
    log_to_stderr()
    try:
        config = load_config(folder)
        doubts = check_sound(config, Parties(config), datetime.now(UTC))
    except ConfigError as error:
        return complain(error)
    for doubt in doubts:
        tell = log.error if doubt.grade is Grade.FAULT else log.warning
        tell("configuration", file=str(doubt.file), reason=doubt.text)
    run = functools.partial(_serve, config)
    try:
        if config.gateway.loop == "uvloop":
            anyio.run(run, backend="asyncio", backend_options={"use_uvloop": True})
        else:
            anyio.run(run, backend="trio")
    except (ConfigError, LedgerError, SecurityError, OSError) as error:
        return complain(error)
    except ExceptionGroup as group:
        usual, other = group.split((ConfigError, LedgerError, SecurityError, OSError))
        if other is not None or usual is None:
            raise
        return complain(_first(usual))
    return OK


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _serve(config: Config) -> None:
    async with open_gateway(config) as gateway, anyio.create_task_group() as group:
        await group.start(_stop_on_signals, gateway.stopping)
        await gateway.run()
        group.cancel_scope.cancel()


async def _stop_on_signals(
    stopping: anyio.Event, *, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED
) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        task_status.started()
        async for _ in signals:
            stopping.set()


def init(folder: pathlib.Path) -> int:
    """Make a starter configuration in `folder` and say what to do with it."""
    try:
        made = make_starter(folder, now=datetime.now(UTC))
    except ScaffoldError as error:
        return complain(error)
    except OSError as error:
        return complain(f"{folder}: {error.strerror}")
    say(
        (f"Made {len(made)} files in {folder}", "bold"),
        ": keys, a trader, three agencies, routes, samples.",
    )
    where, sample = shlex.quote(str(folder)), shlex.quote(str(folder / "samples" / "import.edi"))
    say(f"  tidewaiter check-config --dir {where}")
    say(f"  tidewaiter serve --dir {where}")
    say(f"  tidewaiter submit {sample} --channel as2 --dir {where}")
    return OK


def check_config(folder: pathlib.Path, *, as_json: bool) -> int:
    """Check everything `serve` would, and print what the configuration holds."""
    now = datetime.now(UTC)
    try:
        config = load_config(folder)
        parties = Parties(config, now)
        doubts = check_sound(config, parties, now)
        resources.check_tables(folder)
    except ConfigError as error:
        return complain(error)
    if faults := [doubt for doubt in doubts if doubt.grade is Grade.FAULT]:
        return complain(faults[0])
    warnings = [*map(str, doubts), *_readable_keys(config)]
    ours, theirs = our_keys(parties, now), their_keys(parties, now)
    found = {
        "folder": str(folder),
        "as2-name": config.gateway.as2_name,
        "signing-certificate": fingerprint(parties.signer.certificate),
        "keys": as_json_keys(ours),
        "their-keys": {name: as_json_keys(uses) for name, uses in theirs.items()},
        "listen": msgspec.to_builtins(config.gateway.listen),
        "partners": {
            name: [fingerprint(c) for c in party.certificates] for name, party in parties.partners.items()
        },
        "agencies": {
            name: [fingerprint(c) for c in party.certificates] for name, party in parties.agencies.items()
        },
        "levels": [level.type for level in config.levels],
        "warnings": warnings,
    }
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found)).decode() + "\n")
        return OK
    say((f"The configuration in {folder} is good.", "bold green"))
    for title in ("partners", "agencies"):
        named = found[title]
        assert isinstance(named, dict)
        say(f"{title}: {', '.join(named) or 'none'}")
    for use in ours:
        say(f"the gateway {use}")
    for line in in_change(theirs):
        say(line)
    for warning in warnings:
        say(("warning:", "yellow"), f" {warning}")
    return OK


def _readable_keys(config: Config) -> list[str]:
    ours = (*config.gateway.signing_keys, *config.gateway.decryption_keys, config.gateway.tls)
    names = {pair.key for pair in ours}
    return [
        f"{n} can be read by others: chmod 600"
        for n in sorted(names)
        if config.path(n).stat().st_mode & 0o077
    ]


def add_partner(
    folder: pathlib.Path,
    name: str,
    certs: list[pathlib.Path],
    *,
    as2_name: str,
    as2_url: str,
    edifact_id: str,
) -> int:
    """Write `partners/NAME.toml` and its certificates."""
    if as2_url and not as2_name:
        return complain("--as2-url needs --as2-name, the name its messages bear")
    lines = [f"name = {_quoted(name)}"]
    if edifact_id:
        lines.append(f"edifact-id = {_quoted(edifact_id)}")
    lines.append("certificates = {certificates}")
    if as2_name:
        lines += ["", "[as2]", f"name = {_quoted(as2_name)}", "certificates = {certificates}"]
        lines += [f"url = {_quoted(as2_url)}"] if as2_url else []
    return _add(folder, "partners", name, certs, lines, edifact_id)


def add_agency(
    folder: pathlib.Path,
    name: str,
    certs: list[pathlib.Path],
    *,
    url: str,
    channel: str,
    syntax: str,
    as2_name: str,
    edifact_id: str,
    live: bool,
) -> int:
    """Write `agencies/NAME.toml` and its certificates."""
    if channel == "as2" and not as2_name:
        return complain("--channel as2 needs --as2-name")
    for option, value, allowed in (("channel", channel, CHANNELS), ("syntax", syntax, SYNTAXES)):
        if value not in allowed:
            return complain(f"--{option} {value}: one of {', '.join(allowed)} is expected")
    lines = [f"name = {_quoted(name)}", f"syntax = {_quoted(syntax)}", f"channel = {_quoted(channel)}"]
    lines.append(f"live = {str(live).lower()}")
    if edifact_id:
        lines.append(f"edifact-id = {_quoted(edifact_id)}")
    if channel == "as2":
        lines += ["certificates = {certificates}", "", "[as2]", f"name = {_quoted(as2_name)}"]
        lines += ["certificates = {certificates}", f"url = {_quoted(url)}"]
    else:
        lines += [
            f"url = {_quoted(url)}",
            "certificates = {certificates}",
            "server-certificates = {certificates}",
        ]
    return _add(folder, "agencies", name, certs, lines, edifact_id)


def _add(
    folder: pathlib.Path,
    kind: str,
    name: str,
    certs: list[pathlib.Path],
    lines: list[str],
    edifact_id: str,
) -> int:
    """Write the files, check the whole configuration with them, and remove them if it is not good."""
    target = folder / kind / f"{name}.toml"
    if not NAME.fullmatch(name):
        return complain(f"{name!r} cannot be a name: use a-z, 0-9 and -")
    if target.exists():
        return complain(f"{target} exists already: edit it, or choose another name")
    written: list[pathlib.Path] = []
    try:
        before = Parties(load_config(folder))
        pems = [path.read_bytes() for path in certs]
        certificates = [certificate for pem in pems for certificate in load_certificates(pem)]
        for certificate in certificates:
            other = before.by_certificate(certificate.public_bytes(Encoding.DER))
            if other is not None:
                print_ = fingerprint(certificate)
                return complain(f"{name} cannot have certificate {print_}: {other.name} has it already")
        if edifact_id and (holder := _holder(before, edifact_id)):
            return complain(f"{name} cannot have edifact-id {edifact_id!r}: that is {holder}'s already")
        names = ", ".join(_quoted(copy) for copy in _copied(folder, kind, name, pems, written))
        text = "\n".join(lines).replace("{certificates}", f"[{names}]") + "\n"
        _write(target, text.encode(), written)
        config = load_config(folder)
        told = [d for d in check_sound(config, Parties(config), datetime.now(UTC)) if d.file == target]
        if faults := [doubt for doubt in told if doubt.grade is Grade.FAULT]:
            raise ConfigError(target, faults[0].text)
    except (ConfigError, SecurityError, OSError) as error:
        for path in reversed(written):
            path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
        return complain(error)
    say((f"Wrote {target}", "bold"), f". Compare with {name} over another way than this one:")
    for certificate in certificates:
        say(f"  {fingerprint(certificate)}  {certificate.subject.rfc4514_string()}")
    for doubt in told:
        say(("warning:", "yellow"), f" {doubt}")
    say(
        "A running gateway takes it up within seconds."
        if kind == "partners"
        else "A running gateway takes it up at its next start."
    )
    return OK


def _holder(parties: Parties, edifact_id: str) -> str | None:
    """Who has this interchange identification."""
    everybody = (*parties.partners.values(), *parties.agencies.values())
    return next((party.name for party in everybody if party.settings.edifact_id == edifact_id), None)


def _copied(
    folder: pathlib.Path, kind: str, name: str, pems: list[bytes], written: list[pathlib.Path]
) -> list[str]:
    copies = [f"keys/{kind}/{name}.{number}.cert.pem" for number in range(1, len(pems) + 1)]
    for copy, pem in zip(copies, pems, strict=True):
        _write(folder / copy, pem, written)
    return copies


def _write(file: pathlib.Path, content: bytes, written: list[pathlib.Path]) -> None:
    """Write `file`, and add it and the folders made for it to `written`, also where this fails half-way."""
    for parent in reversed(file.parents):
        if not parent.exists():
            parent.mkdir()
            written.append(parent)
    written.append(file)
    file.write_bytes(content)


def _quoted(text: str) -> str:
    """`text` as a TOML basic string; JSON's escapes are a part of TOML's."""
    return msgspec.json.encode(text).decode()
