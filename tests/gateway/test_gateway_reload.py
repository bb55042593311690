"""What changes on disk, or by the date, is taken up while the gateway runs; what cannot be used is not."""

import errno
import os
import pathlib
import resource
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from structlog.testing import capture_logs

from tidewaiter.gateway.as2 import Terms
from tidewaiter.gateway.config import load_config
from tidewaiter.gateway.parties import Parties
from tidewaiter.gateway.reload import Reloader
from tidewaiter.gateway.tls_contexts import TlsContexts
from tidewaiter.gateway.toml import ConfigError
from tidewaiter.routing.instant import Instant
from tidewaiter.security import load_certificates, make_self_signed

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 6, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
# To see a change, to see that it is over, and the same for the files that it names for the first time.
LOOKS = 3
Certificate = Any


class Scene:
    """A configuration in use, and the clock beside it."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder, self.now = folder, NOW
        self.parties = Parties(load_config(folder), NOW)
        self.contexts = TlsContexts(self.parties)
        self.reloader = Reloader(self.parties, self.contexts, self._instant)

    def _instant(self) -> Instant:
        return Instant(utc_ns=int(self.now.timestamp() * 1e9), monotonic_ns=0, process="test")

    def pair(self, name: str, begins: datetime = NOW, days: int = 99) -> Certificate:
        """A new certificate and its key as `keys/NAME`; it is valid from `begins` on."""
        certificate, key = make_self_signed(name, now=begins + timedelta(hours=1), days=days, key="p256")
        self.write(f"keys/{name}.pem", certificate)
        self.write(f"keys/{name}.key", key)
        return load_certificates(certificate)[0]

    def write(self, name: str, content: bytes | str) -> None:
        content = content.encode() if isinstance(content, str) else content
        (self.folder / name).write_bytes(content)

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text()
        assert old in text
        self.write(name, text.replace(old, new, 1))

    def certificate(self, name: str) -> Certificate:
        return load_certificates((self.folder / f"keys/{name}.pem").read_bytes())[0]

    def terms(self, name: str = "trader") -> Terms:
        terms = self.parties.named(name).terms
        assert terms is not None
        return terms

    async def look(self) -> tuple[bool, list[Any]]:
        """One look: whether something was taken up, and what was logged."""
        with capture_logs() as logged:
            taken = await self.reloader.check()
        return taken, [(entry["event"], entry) for entry in logged]

    async def check(self) -> tuple[bool, list[Any]]:
        """The same of as many looks as a change takes, newly named files with it."""
        looks = [await self.look() for _ in range(LOOKS)]
        return any(taken for taken, _ in looks), [entry for _, logged in looks for entry in logged]


@pytest.fixture
def scene(folder: pathlib.Path) -> Scene:
    return Scene(folder)


def events(logged: list[Any]) -> list[str]:
    return [event for event, _ in logged]


async def test_files_written_just_before_the_start_are_read_once_more(scene: Scene) -> None:
    """Whoever loaded the configuration may have read what was there a moment earlier."""
    assert await scene.check() == (True, [])
    assert await scene.check() == (False, [])


async def test_the_next_certificate_of_a_partner(scene: Scene) -> None:
    await scene.check()
    coming, clients = scene.pair("next"), scene.contexts.clients
    before, server = dict(clients), scene.contexts.server()
    scene.edit("partners/trader.toml", '["keys/trader.pem"]', '["keys/trader.pem", "keys/next.pem"]')
    scene.edit("partners/trader.toml", '["keys/trader.pem"]', '["keys/trader.pem", "keys/next.pem"]')
    taken, logged = await scene.check()
    assert taken
    assert [entry["files"] for _, entry in logged] == [["partners/trader.toml"]]
    assert tuple(scene.terms().their_signing) == (scene.certificate("trader"), coming)
    assert scene.terms().their_encryption == coming
    assert coming in scene.parties.partners["trader"].certificates
    # Who may connect has changed, and nobody's server has: those connections go on.
    assert scene.contexts.server() is not server
    assert scene.contexts.clients is clients
    assert all(clients[name] is before[name] for name in before)


async def test_a_certificate_whose_key_is_not_there_yet(scene: Scene) -> None:
    await scene.check()
    before = scene.certificate("gateway")
    certificate, key = make_self_signed("gateway", now=NOW, days=99, key="p256")
    scene.write("keys/gateway.pem", certificate)
    taken, logged = await scene.check()
    assert (taken, events(logged)) == (False, ["reload_refused"])
    assert (
        "gateway.toml: signing.key: keys/gateway.key is not the key of keys/gateway.pem"
        in logged[0][1]["reason"]
    )
    assert scene.parties.signer.certificate == before
    assert await scene.check() == (False, [])
    scene.write("keys/gateway.key", key)
    taken, logged = await scene.check()
    assert (taken, events(logged)) == (True, ["reloaded"])
    assert scene.parties.signer.certificate == load_certificates(certificate)[0]


async def test_a_key_replaced_in_its_file_goes_on_decrypting_while_it_is_valid(scene: Scene) -> None:
    await scene.check()
    before = scene.certificate("gateway")
    after = scene.pair("gateway", days=2000)
    await scene.check()
    assert [key.certificate for key in scene.terms().decryption_keys] == [after, before]
    # Another reload does not forget it, and its own end does.
    scene.edit("partners/trader.toml", "compress = true", "compress = false")
    await scene.check()
    assert [key.certificate for key in scene.terms().decryption_keys] == [after, before]
    scene.now = before.not_valid_after_utc + DAY
    await scene.check()
    assert [key.certificate for key in scene.terms().decryption_keys] == [after]


async def test_a_key_that_is_no_longer_named_is_gone(scene: Scene) -> None:
    scene.pair("other")
    pairs = [
        f'[[decryption]]\ncertificate = "keys/{n}.pem"\nkey = "keys/{n}.key"\n' for n in ("gateway", "other")
    ]
    text = (scene.folder / "gateway.toml").read_text()
    scene.write("gateway.toml", text + "\n" + "".join(pairs))
    await scene.check()
    assert len(scene.terms().decryption_keys) == 2
    scene.write("gateway.toml", text + "\n" + pairs[0])
    await scene.check()
    assert [key.certificate for key in scene.terms().decryption_keys] == [scene.certificate("gateway")]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("partners/trader.toml", "name = "),
        ("partners/trader.toml", 'name = "trader"\ncertifcates = []\n'),
        ("agencies/health.toml", ""),
        ("gateway.toml", ""),
        ("keys/trader.pem", ""),
        ("keys/trader.pem", None),
        ("keys/gateway-tls.key", "-----BEGIN PRIVATE KEY-----\n"),
    ],
)
async def test_what_cannot_be_used_changes_nothing(scene: Scene, file: str, content: str | None) -> None:
    """It is told once, and taken up as soon as it is whole again, with all that changed beside it."""
    await scene.check()
    good, terms, server = (scene.folder / file).read_bytes(), scene.terms(), scene.contexts.server()
    if content is None:
        (scene.folder / file).unlink()
    else:
        scene.write(file, content)
    coming = scene.pair("health")
    taken, logged = await scene.check()
    assert (taken, events(logged)) == (False, ["reload_refused"])
    assert str(scene.folder) in logged[0][1]["reason"]
    assert scene.terms() is terms
    assert scene.contexts.server() is server
    assert await scene.check() == (False, [])
    scene.write(file, good)
    assert (await scene.check())[0]
    assert scene.parties.agencies["health"].certificates == (coming,)


async def test_what_is_refused_does_not_show_a_key(scene: Scene) -> None:
    await scene.check()
    lines = (scene.folder / "keys/gateway.key").read_text().splitlines()
    scene.write("keys/gateway.key", "\n".join([*lines[:-2], f"{lines[-2]}!", lines[-1]]))
    _, logged = await scene.check()
    assert "keys/gateway.key" in logged[0][1]["reason"]
    assert not any(line in str(logged) for line in lines if not line.startswith("-"))


async def test_half_a_file_is_not_taken_up(scene: Scene) -> None:
    """Each look finds more of it, and what there is would pass: an agreement without [as2] is one."""
    await scene.check()
    terms, file = scene.terms(), scene.folder / "partners/trader.toml"
    lines = file.read_text().splitlines(keepends=True)
    for count in range(len(lines) + 1):
        scene.write("partners/trader.toml", "".join(lines[:count]) + "# written")
        assert await scene.look() == (False, [])
        assert scene.terms() is terms
    assert (await scene.look())[0]
    assert scene.terms() is not terms


async def test_what_changes_while_it_is_read(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    await scene.check()
    terms, prepare = scene.terms(), scene.contexts.prepare

    def prepared(parties: Parties) -> Any:
        monkeypatch.undo()
        scene.edit("partners/trader.toml", "[as2]\n", "[as2]\nbase64 = true\n")
        return prepare(parties)

    scene.edit("partners/trader.toml", "compress = true", "compress = false")
    await scene.look()
    monkeypatch.setattr(scene.contexts, "prepare", prepared)
    assert await scene.look() == (False, [])
    assert scene.terms() is terms
    assert (await scene.look())[0]
    assert (scene.terms().compress, scene.terms().base64) == (False, True)


async def test_a_file_that_is_named_for_the_first_time_is_looked_at_twice(scene: Scene) -> None:
    await scene.check()
    first, second = (make_self_signed(name, now=NOW, days=99, key="p256")[0] for name in "ab")
    scene.edit("partners/trader.toml", '"keys/trader.pem"', '"keys/trader.pem", "keys/two.pem"')
    await scene.look()
    scene.write("keys/two.pem", first)
    assert not (await scene.look())[0]
    scene.write("keys/two.pem", first + second)
    assert not (await scene.look())[0]
    assert (await scene.look())[0]
    assert len(scene.parties.partners["trader"].certificates) == 3


@pytest.mark.parametrize("kind", ["partners", "agencies"])
async def test_a_folder_that_is_gone_takes_nobody_with_it(scene: Scene, kind: str) -> None:
    await scene.check()
    names = list(scene.parties.names)
    (scene.folder / kind).rename(scene.folder / "beside")
    taken, logged = await scene.check()
    assert (taken, events(logged)) == (False, ["reload_refused"])
    assert f"/{kind}: is gone" in logged[0][1]["reason"]
    assert list(scene.parties.names) == names
    (scene.folder / "beside").rename(scene.folder / kind)
    assert (await scene.check())[0]
    assert list(scene.parties.names) == names


FAILURES = [
    OSError(errno.EMFILE, "Too many open files"),
    OverflowError("date value out of range"),
    RuntimeError("can't start new thread"),
]


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("part", ["look", "load"])
async def test_whatever_fails_the_gateway_goes_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, error: Exception, part: str
) -> None:
    """It is told once, dates go on counting, and it is tried again though no file changes any more."""
    await scene.check()
    terms = scene.terms()
    scene.edit("partners/trader.toml", "compress = true", "compress = false")
    if part == "load":
        await scene.look()

    def failing(*_: object) -> None:
        raise error

    name = "tidewaiter.gateway.reload." + ("toml_files" if part == "look" else "load_parties")
    monkeypatch.setattr(name, failing)
    taken, logged = await scene.check()
    assert (taken, events(logged)) == (False, ["reload_refused"])
    assert scene.terms() is terms
    monkeypatch.undo()
    assert events((await scene.check())[1]) == ["reloaded"]
    assert not scene.terms().compress


async def test_without_descriptors_nobody_is_gone(scene: Scene) -> None:
    """The real thing: everything that can be opened is, and a change waits until something can be again."""
    await scene.check()
    scene.edit("partners/trader.toml", "compress = true", "compress = false")
    names, limits = list(scene.parties.names), resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        taken, logged = await scene.check()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert (taken, events(logged)) == (False, ["reload_refused"])
    assert "Too many open files" in logged[0][1]["reason"]
    assert list(scene.parties.names) == names
    assert (await scene.check())[0]
    assert not scene.terms().compress


async def test_what_is_refused_is_not_read_again_and_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.check()
    scene.edit("partners/trader.toml", "keys/trader.pem", "k" * 5_000)
    assert events((await scene.check())[1]) == ["reload_refused"]
    monkeypatch.setattr("tidewaiter.gateway.reload.load_parties", lambda _: pytest.fail("read again"))
    assert await scene.check() == (False, [])


async def test_a_certificate_that_cannot_be_opened_for_now(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file has not changed since it was looked at, so it must not have to change again."""
    await scene.check()
    scene.edit("partners/trader.toml", "compress = true", "compress = false")
    await scene.look()
    read = pathlib.Path.read_bytes

    def failing(file: pathlib.Path) -> bytes:
        if file.suffix == ".pem":
            raise OSError(errno.EMFILE, "Too many open files")
        return read(file)

    scene.now += DAY  # none is young any more
    await scene.reloader.check()
    scene.edit("partners/trader.toml", "compress = false", "compress = true")
    await scene.look()
    with monkeypatch.context() as patch:
        patch.setattr(pathlib.Path, "read_bytes", failing)
        assert events((await scene.check())[1]) == ["reload_refused"]
    assert events((await scene.check())[1]) == ["reloaded"]
    assert scene.terms().compress


async def test_a_check_is_cancelled(scene: Scene) -> None:
    with anyio.CancelScope() as scope:
        scope.cancel()
        await scene.reloader.check()
    assert scope.cancelled_caught


def far(scene: Scene) -> None:
    """Without a well-defined end (RFC 5280 4.1.2.5), beside one that has yet to begin."""
    scene.pair("trader", days=1)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name.from_rfc4514_string("CN=far")
    ends = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 5, NOW - DAY, ends).sign(
        key, hashes.SHA256()
    )
    pem = made.public_bytes(Encoding.PEM)
    scene.write("keys/trader.pem", pem)


async def test_a_certificate_without_end(scene: Scene) -> None:
    await scene.check()
    far(scene)
    assert (await scene.check())[0]
    assert scene.terms().their_encryption == scene.certificate("trader")
    assert Parties(load_config(scene.folder), NOW).names


UNUSABLE = [
    (
        "keys/trader.pem",
        lambda text: text.replace("MII", "MIA", 1),
        "trader.toml: certificates: keys/trader.pem",
    ),
    ("partners/trader.toml", lambda _: "a=" + "[" * 100_000, "trader.toml: is nested too deeply"),
    ("partners/trader.toml", lambda _: "a=" + "1" * 5_000, "trader.toml: "),
    (
        "partners/trader.toml",
        lambda text: text.replace("keys/trader.pem", "keys/tra\\u0000der.pem"),
        "cannot be the name of a file",
    ),
    (
        "partners/trader.toml",
        lambda text: text.replace("[as2]\n", "[as2]\nreceipt-seconds = inf\n"),
        "as2.receipt-seconds: Expected",
    ),
]


@pytest.mark.parametrize(("file", "change", "told"), UNUSABLE)
async def test_what_no_parser_takes_is_told_with_its_file(
    scene: Scene, file: str, change: Callable[[str], str], told: str
) -> None:
    """At the start and while running alike."""
    await scene.check()
    scene.write(file, change((scene.folder / file).read_text()))
    with pytest.raises(ConfigError) as caught:
        Parties(load_config(scene.folder), NOW)
    assert told in str(caught.value)
    taken, logged = await scene.check()
    assert (taken, events(logged)) == (False, ["reload_refused"])
    assert told in logged[0][1]["reason"]


async def test_a_file_that_is_named_before_it_is_there(scene: Scene) -> None:
    await scene.check()
    scene.edit("partners/trader.toml", '"keys/trader.pem"', '"keys/trader.pem", "keys/late.pem"')
    taken, logged = await scene.check()
    assert (taken, events(logged)) == (False, ["reload_refused"])
    assert "keys/late.pem: No such file" in logged[0][1]["reason"]
    late = scene.pair("late")
    assert (await scene.check())[0]
    assert late in scene.parties.partners["trader"].certificates


async def test_partners_come_and_go(scene: Scene) -> None:
    await scene.check()
    names = scene.parties.names
    coming = scene.pair("second")
    scene.write("partners/second.toml", 'name = "second"\ncertificates = ["keys/second.pem"]\n')
    (scene.folder / "partners/trader.toml").unlink()
    assert (await scene.check())[0]
    assert set(names) == {"second", "agriculture", "customs", "health"}
    assert (len(names), "second" in names, "trader" in names) == (4, True, False)
    assert scene.parties.by_as2_names("MERIDIAN", "TIDEWAITER") is None
    assert set(scene.contexts.clients) == set(names)
    assert scene.parties.partners["second"].certificates == (coming,)


async def test_what_the_gateway_is_built_upon_waits_for_a_restart(scene: Scene) -> None:
    await scene.check()
    running = scene.parties.config
    scene.edit("gateway.toml", "body = 10_000_000", "body = 10")
    scene.edit("gateway.toml", 'country = "NL"', 'country = "BE"')
    scene.edit("agencies/health.toml", "concurrency = 8", "concurrency = 9")
    scene.edit("agencies/customs.toml", 'name = "CUSTOMS"', 'name = "CUSTOMS 2"')
    scene.write("agencies/new.toml", 'name = "new"\nsyntax = "xml"\nchannel = "https"\nurl = "https://x"\n')
    scene.edit("routes.toml", '"customs"', '"customs" ')
    taken, logged = await scene.check()
    assert (taken, events(logged)) == (True, ["reloaded", "restart_needed"])
    assert logged[1][1]["changed"] == [
        "routes.toml",
        "gateway.toml: limits",
        "gateway.toml: country",
        "agencies/health.toml: concurrency",
        "agencies/new.toml: is new",
    ]
    config = scene.parties.config
    assert config.gateway == running.gateway
    assert config.agencies["health"] == running.agencies["health"]
    assert set(config.agencies) == set(running.agencies)
    assert scene.terms("customs").their_name == "CUSTOMS 2"
    # Once is enough.
    scene.edit("partners/trader.toml", "compress = true", "compress = false")
    assert events((await scene.check())[1]) == ["reloaded"]


async def test_an_agency_that_is_gone_stays_until_the_restart(scene: Scene) -> None:
    await scene.check()
    (scene.folder / "agencies/health.toml").unlink()
    _, logged = await scene.check()
    assert logged[1][1]["changed"] == ["agencies/health.toml: is gone"]
    assert "health" in scene.parties.agencies


async def test_an_agency_that_is_gone_with_its_certificates_holds_up_nobody(scene: Scene) -> None:
    await scene.check()
    held = scene.parties.agencies["health"].certificates
    (scene.folder / "agencies/health.toml").unlink()
    (scene.folder / "keys/health.pem").unlink()
    assert (await scene.check())[0]
    (scene.folder / "partners/trader.toml").unlink()
    assert (await scene.check())[0]
    assert "trader" not in scene.parties.names
    assert scene.parties.agencies["health"].certificates == held


async def test_a_switch_by_date_needs_no_file_to_change(scene: Scene) -> None:
    text = (scene.folder / "gateway.toml").read_text()
    head, _, tail = text.partition("[signing]")
    coming = scene.pair("coming", begins=NOW - DAY)
    since = f"since = {(NOW + DAY).isoformat()}"
    pair = 'certificate = "keys/coming.pem"\nkey = "keys/coming.key"\n'
    scene.write("gateway.toml", f"{head}[[signing]]\n{pair}{since}\n\n[[signing]]{tail}")
    theirs = scene.pair("theirs", begins=NOW + 2 * DAY)
    scene.edit(
        "partners/trader.toml",
        "[as2]\n",
        '[as2]\nencryption-certificates = ["keys/trader.pem", "keys/theirs.pem"]\n',
    )
    await scene.check()
    signing, encryption = scene.certificate("gateway"), scene.certificate("trader")
    seen = []
    for moment in (NOW, NOW + DAY, NOW + 2 * DAY, theirs.not_valid_after_utc + DAY):
        scene.now = moment
        taken, logged = await scene.check()
        signer = scene.terms().signer
        assert signer is not None
        assert signer.certificate == scene.parties.signer.certificate
        seen.append((taken, events(logged), signer.certificate, scene.terms().their_encryption))
    turned = ["certificates_turned"]
    assert seen == [
        (False, [], signing, encryption),
        (True, turned, coming, encryption),
        (True, turned, coming, theirs),
        # Both of these have run out, and the old ones have not.
        (True, turned, signing, encryption),
    ]


async def test_a_switch_by_date_is_not_held_up_by_a_broken_file(scene: Scene) -> None:
    theirs = scene.pair("theirs", begins=NOW + DAY)
    scene.edit(
        "partners/trader.toml",
        "[as2]\n",
        '[as2]\nencryption-certificates = ["keys/trader.pem", "keys/theirs.pem"]\n',
    )
    await scene.check()
    scene.write("routes.toml", "[[")
    scene.write("partners/trader.toml", "[[")
    scene.now = NOW + DAY
    taken, logged = await scene.check()
    assert (taken, events(logged)) == (True, ["certificates_turned", "reload_refused"])
    assert scene.terms().their_encryption == theirs


async def test_our_certificate_must_be_usable_to_be_taken_up(scene: Scene) -> None:
    await scene.check()
    before = scene.parties.signer.certificate
    scene.pair("gateway", begins=NOW + DAY)
    taken, logged = await scene.check()
    assert (taken, events(logged)) == (False, ["reload_refused"])
    assert "not valid before 2026-06-03" in logged[0][1]["reason"]
    assert scene.parties.signer.certificate == before


async def test_our_certificate_that_ran_out_does_not_hold_up_a_partner_s(scene: Scene) -> None:
    await scene.check()
    scene.now = scene.parties.signer.certificate.not_valid_after_utc + DAY
    coming = scene.pair("trader", begins=scene.now - DAY)
    assert (await scene.check())[0]
    assert scene.terms().their_encryption == coming


async def test_a_doubt_is_told_once(scene: Scene) -> None:
    scene.pair("trader", days=9)
    _, logged = await scene.check()
    assert events(logged) == ["reloaded", "configuration", "configuration"]
    assert all("expires on" in entry["reason"] for event, entry in logged[1:])
    scene.edit("partners/trader.toml", "compress = true", "compress = false")
    assert events((await scene.check())[1]) == ["reloaded"]


async def test_algorithms_of_the_operator(scene: Scene, shipped_algorithms: str) -> None:
    """Keys shorter than it asks for are told with file and key, and then nothing changes."""
    await scene.check()
    for bits, is_taken in (("3072", False), ("2047", True)):
        scene.write(
            "algorithms.toml", shipped_algorithms.replace("min-rsa-bits = 2048", f"min-rsa-bits = {bits}", 1)
        )
        taken, logged = await scene.check()
        assert taken is is_taken
        assert scene.terms().policy.min_rsa_bits == (2047 if is_taken else 2048)
        if not is_taken:
            ((_, entry),) = logged
            assert "as2.certificates: CN=" in entry["reason"]
            assert "an RSA key of 2048 bits; 3072 are needed" in entry["reason"]


@pytest.fixture
def shipped_algorithms() -> str:
    from tidewaiter.gateway import resources

    return resources.algorithms().read_text()


async def test_the_same_content_again_is_no_change(scene: Scene) -> None:
    await scene.check()
    os.utime(scene.folder / "gateway.toml")
    scene.write("keys/trader.pem", (scene.folder / "keys/trader.pem").read_bytes())
    assert await scene.check() == (False, [])
