"""The configuration: one frozen object, read from one folder before any port opens.

    gateway.toml          names, ports, keys, limits            -> GatewaySettings
    partners/NAME.toml    a trader, one file each               -> PartnerSettings
    agencies/NAME.toml    an agency, one file each              -> AgencySettings
    routes.toml           which agencies get which declaration  -> RouteSettings
    sla.toml              service levels with their dates       -> SlaSettings

Nothing else reads files of the configuration or the environment. File names in it are relative to the folder.
"""

import pathlib
import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Literal, TypeVar

import msgspec

from ..routing.agreement import RetryPolicy
from ..routing.rules import Rule, RuleError, RuleSet, compile_rules
from ..routing.sla import Levels
from .as2_settings import As2Settings
from .choices import Address, ControlName, Count, EdifactId, EdifactName, OutcomeName, Seconds, Settings
from .toml import ConfigError, read_toml, toml_files

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")  # It becomes part of a file name and of log lines.


class ListenSettings(Settings, frozen=True):
    """Where the gateway listens: `host:port`, or an empty string for not at all."""

    https: Address = "127.0.0.1:8443"
    """`/v1` for traders and agencies, TLS with client certificates; AS2 is taken here too."""
    http: Address = "127.0.0.1:8080"
    """AS2 without TLS: the messages carry their own protection. `/v1` refuses everybody here."""
    operations: Address = "127.0.0.1:9090"
    """`/healthz` and `/metrics`, for the operator's network only."""


class KeySettings(Settings, frozen=True):
    """A certificate, which others may follow up to its authority, and its private key: PEM files."""

    certificate: str
    key: str


class SigningSettings(KeySettings, frozen=True):
    """A pair that signs, from a moment on."""

    since: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    """`2027-01-31T22:00:00Z`; none: as soon as its certificate is valid."""


class LimitSettings(Settings, frozen=True):
    """Limits on everything a peer can make grow."""

    body: Count = 10_000_000
    """Octets of one HTTP body."""
    payload: Count = 20_000_000
    """Octets of one document after decryption and decompression."""
    connections: Count = 1000
    """Connections open at once on each port."""
    head_seconds: Seconds = 10.0
    body_seconds: Seconds = 60.0
    idle_seconds: Seconds = 75.0
    concealed_seconds: Annotated[float, msgspec.Meta(ge=0, le=60)] = 0.25
    """A message that cannot be opened is answered after so long, whatever is wrong with it: longer than
    opening and recording one takes on a busy machine."""
    free_disk: Annotated[int, msgspec.Meta(ge=0)] = 64_000_000
    """Octets of disk kept free: below it new messages get 503 before their body is read."""


class GatewaySettings(Settings, frozen=True):
    """`gateway.toml`."""

    as2_name: str
    """Our AS2 name, and the recipient of every AS2 message to us."""
    edifact_id: Annotated[str, msgspec.Meta(min_length=1, max_length=35)]
    """Our interchange identification (UNB S003/0010)."""
    signing: SigningSettings | tuple[SigningSettings, ...]
    """Signs MDNs, receipts and what we send. Of several, the newest does whose certificate is valid and whose
    `since` has come."""
    tls: KeySettings
    """Shown by our HTTPS port, and to the servers we call."""
    decryption: tuple[KeySettings, ...] = ()
    """All of them open what is sent to us, current and next; none: those of `signing` do."""
    as2_url: str = ""
    """Our own address for receipts that come later (asynchronous MDNs)."""
    loop: Literal["trio", "uvloop"] = "trio"
    ledger: str = "ledger.db"
    public_url: str = ""
    """The address others reach `/v1` by, for the status address in receipts; empty: a path only."""
    listen: ListenSettings = ListenSettings()
    limits: LimitSettings = LimitSettings()
    agency_name: str = "Customs"
    country: str = ""

    @property
    def signing_keys(self) -> tuple[SigningSettings, ...]:
        """The pairs of `signing`, one or several."""
        return (self.signing,) if isinstance(self.signing, SigningSettings) else self.signing

    @property
    def decryption_keys(self) -> tuple[KeySettings, ...]:
        """The pairs that decrypt."""
        return self.decryption or self.signing_keys


def retry_policy(settings: "RetrySettings") -> RetryPolicy:
    """The routing room's value for these settings. Raises ValueError where they make no sense."""
    return RetryPolicy(**msgspec.structs.asdict(settings))


class RetrySettings(Settings, frozen=True):
    """Exponential backoff with full jitter, in seconds; `deadline` ends in a dead letter, never earlier."""

    first: float = 2.0
    factor: float = 2.0
    cap: float = 300.0
    deadline: Seconds = 14 * 86400.0

    def __post_init__(self) -> None:
        super().__post_init__()
        retry_policy(self)


class PartnerSettings(Settings, frozen=True):
    """`partners/NAME.toml`: a trader's software."""

    name: str
    certificates: tuple[str, ...] = ()
    """TLS client certificates, current and next, by which the partner is known on HTTPS."""
    edifact_id: EdifactId = ""
    """The partner's interchange identification (UNB S002/0004); when set, another sender is a finding."""
    edifact_allow: tuple[EdifactName, ...] = ("leading-text",)
    """Beyond the standard, read with a warning; what is not named is an error. utf-8: under any level."""
    server_certificates: tuple[str, ...] = ()
    """The certificates its own AS2 server may show over TLS, pinned; none: the machine's authorities."""
    contrl: ControlName = "asked"
    """CONTRL for its interchanges. asked: by UNB 0031, and for errors; never: errors are told by CUSRES."""
    as2: As2Settings | None = None
    retry: RetrySettings = RetrySettings()


class AgencySettings(Settings, frozen=True):
    """`agencies/NAME.toml`: an agency that is asked."""

    name: str
    syntax: Literal["edifact", "xml"]
    channel: Literal["as2", "https"]
    title: str = ""
    live: bool = True
    """A live agency never gets a test document."""
    edifact_id: EdifactId = ""
    edifact_allow: tuple[EdifactName, ...] = ("leading-text",)
    url: str = ""
    """HTTPS: where deliveries are posted."""
    certificates: tuple[str, ...] = ()
    """HTTPS: client certificates the agency posts its answers with."""
    server_certificates: tuple[str, ...] = ()
    """HTTPS: the certificates its own server may show, pinned."""
    contrl: ControlName = "asked"
    as2: As2Settings | None = None
    retry: RetrySettings = RetrySettings()
    concurrency: Count = 8
    """Deliveries under way at once."""
    clears: tuple[Literal["released", "accepted"], ...] = ("released",)
    """The outcomes by which this agency lets goods go."""
    outcomes: dict[str, OutcomeName] = msgspec.field(default_factory=dict)
    """Its own response function codes, where they differ from the data model's."""
    stand_in: str = ""
    """A test system that gets the test documents in its place."""


class ConditionSettings(Settings, frozen=True, rename=None):
    """What a route looks at; every key given must hold, any of its values is enough."""

    type: tuple[str, ...] = ()
    function: tuple[str, ...] = ()
    procedure: tuple[str, ...] = ()
    hs_prefix: tuple[str, ...] = ()
    document: tuple[str, ...] = ()
    not_document: tuple[str, ...] = ()
    country: tuple[str, ...] = ()
    office: tuple[str, ...] = ()


class RouteEntry(Settings, frozen=True):
    """One `[[route]]`."""

    name: str
    agencies: list[str]
    when: ConditionSettings = ConditionSettings()


class RouteSettings(Settings, frozen=True):
    """`routes.toml`."""

    route: list[RouteEntry]


class LevelEntry(Settings, frozen=True):
    """One `[[level]]`: the seconds of e-document processing time for a type, and since when they hold."""

    type: str
    goal: float
    basic: float
    minimum: float
    since: date
    version: str

    def __post_init__(self) -> None:
        super().__post_init__()
        self.levels()

    def levels(self) -> Levels:
        """The routing room's value for this entry."""
        return Levels(**msgspec.structs.asdict(self))


class SlaSettings(Settings, frozen=True):
    """`sla.toml`."""

    level: list[LevelEntry]


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the gateway is told, checked."""

    folder: pathlib.Path
    gateway: GatewaySettings
    partners: dict[str, PartnerSettings]
    agencies: dict[str, AgencySettings]
    rules: RuleSet
    levels: tuple[Levels, ...]

    def path(self, name: str) -> pathlib.Path:
        """A file the configuration names."""
        return self.folder / name

    def everybody(self) -> Iterator[tuple[pathlib.Path, PartnerSettings | AgencySettings]]:
        """Every partner and agency, with its file."""
        for kind, parties in (("partners", self.partners), ("agencies", self.agencies)):
            yield from ((self.folder / kind / f"{name}.toml", one) for name, one in parties.items())


_Party = TypeVar("_Party", PartnerSettings, AgencySettings)


def load_config(folder: pathlib.Path) -> Config:
    """The configuration in `folder`. Raises ConfigError for the first thing that cannot be used."""
    gateway, partners, agencies = load_parties(folder)
    return Config(
        folder=folder,
        gateway=gateway,
        partners=partners,
        agencies=agencies,
        rules=_load_rules(folder / "routes.toml", agencies),
        levels=load_levels(folder),
    )


def load_parties(
    folder: pathlib.Path,
) -> tuple[GatewaySettings, dict[str, PartnerSettings], dict[str, AgencySettings]]:
    """Only `gateway.toml`, the partners and the agencies. Raises ConfigError."""
    gateway = load_gateway(folder)
    partners = _load_each(folder / "partners", PartnerSettings)
    agencies = _load_each(folder / "agencies", AgencySettings)
    for name, agency in agencies.items():
        _check_agency(folder / "agencies" / f"{name}.toml", agency, agencies)
    return gateway, partners, agencies


def load_gateway(folder: pathlib.Path) -> GatewaySettings:
    """Only `gateway.toml`. Raises ConfigError, which says what to do where there is none."""
    if not (folder / "gateway.toml").exists():
        raise ConfigError(folder, "no gateway.toml here: run `tidewaiter init DIR`, or give --dir")
    return read_toml(folder / "gateway.toml", GatewaySettings)


def load_levels(folder: pathlib.Path) -> tuple[Levels, ...]:
    """Only the service levels."""
    return tuple(entry.levels() for entry in read_toml(folder / "sla.toml", SlaSettings).level)


def _load_each(folder: pathlib.Path, kind: type[_Party]) -> dict[str, _Party]:
    found: dict[str, _Party] = {}
    for file in toml_files(folder):
        settings = read_toml(file, kind)
        if settings.name != file.stem or not NAME.fullmatch(settings.name):
            raise ConfigError(file, f"must be the file's name, {file.stem!r}, of a-z, 0-9 and -", key="name")
        found[settings.name] = settings
    return found


def _check_agency(file: pathlib.Path, agency: AgencySettings, agencies: dict[str, AgencySettings]) -> None:
    if agency.channel == "as2" and (agency.as2 is None or not agency.as2.url):
        raise ConfigError(file, "an agency on channel as2 needs [as2]: name, certificates, url", key="as2")
    if agency.channel == "https" and not agency.url:
        raise ConfigError(file, "an agency on channel https needs the address deliveries go to", key="url")
    stand_in = agencies.get(agency.stand_in)
    if agency.stand_in and (stand_in is None or stand_in.live):
        raise ConfigError(file, f"{agency.stand_in!r} is no agency with live = false", key="stand-in")


def _load_rules(file: pathlib.Path, agencies: dict[str, AgencySettings]) -> RuleSet:
    rules = []
    for entry in read_toml(file, RouteSettings).route:
        for agency in entry.agencies:
            if agency not in agencies:
                raise ConfigError(file, f"no agency {agency!r} is configured", key=f"route {entry.name}")
        rules.append(Rule(name=entry.name, agencies=tuple(entry.agencies), when=_conditions(entry.when)))
    try:
        return compile_rules(rules, agencies)
    except RuleError as error:
        raise ConfigError(file, str(error)) from None


def _conditions(settings: ConditionSettings) -> dict[str, tuple[str, ...]]:
    given = {name: tuple(getattr(settings, name)) for name in settings.__struct_fields__}
    return {name: values for name, values in given.items() if values}
