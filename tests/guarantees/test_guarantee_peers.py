"""Independent AS2 stacks against `tidewaiter serve`: what they send is taken, and they confirm the receipts.

The peers' own programs judge: pyas2lib verifies the MDN's signature and its MIC in one word, the other has
`openssl cms -verify` say so and compares the MIC with one it computed itself.
"""

import contextlib
import importlib.util
import itertools
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import anyio
import pytest

from tidewaiter.gateway.sandbox.samples import sample

pytestmark = pytest.mark.process

if shutil.which("openssl") is None:
    pytest.skip(
        "the openssl command line, which makes the peers' keys, is not installed", allow_module_level=True
    )
needs_pyas2lib = pytest.mark.skipif(
    importlib.util.find_spec("pyas2lib") is None, reason="pyas2lib is not installed (tidewaiter[peers])"
)
NODE_MODULES = pathlib.Path(__file__).resolve().parents[1] / "interop" / ".deps" / "node_modules"
needs_libas2 = pytest.mark.skipif(
    shutil.which("node") is None or not (NODE_MODULES / "libas2").is_dir(),
    reason="node or npm's libas2 is not installed (make interop-deps)",
)

# bob keeps to the rules. rob has an agreement that lets him leave out a layer, so that what lies below it is
# seen. eve has no agreement at all. The keys are the same.
PARTNER = """name = "{name}"
[as2]
name = "{name}"
certificates = ["peers/bob.cert.pem", "peers/bob.ec.cert.pem"]
url = "http://127.0.0.1:{port}/as2"
receipt-addresses = ["http://127.0.0.1:{port}"]
private-addresses = true
allow = {allow}
"""
# What is encrypted to alice may be so to either key.
DECRYPTION = """
[[decryption]]
certificate = "peers/alice.cert.pem"
key = "peers/alice.key.pem"
[[decryption]]
certificate = "peers/alice.ec.cert.pem"
key = "peers/alice.ec.key.pem"
"""
# A document of 20,000,000 octets at most is taken in; beyond it this much memory may be needed.
BOMB_MEMORY = 20_000_000 + 32 * 2**20


class Peers(NamedTuple):
    """The peers' programs, and a gateway for them to talk to."""

    programs: pathlib.Path
    keys: pathlib.Path
    url: str
    gateway: Any
    documents: Callable[[str], pathlib.Path]
    port: int
    """Where bob takes messages and receipts, while his server runs."""

    def openssl(self, *options: str, file: str = "import.edi", status: int = 200) -> dict[str, Any]:
        """What openssl_as2.py prints of one message."""
        return self._run("openssl_as2.py", options, file, status)

    def pyas2(self, *options: str, file: str = "import.edi") -> dict[str, Any]:
        """What pyas2_peer.py prints of one message."""
        return self._run("pyas2_peer.py", ("send", *options), file, 200)

    def libas2(self, *options: str) -> dict[str, Any]:
        """What libas2_peer.js prints of one message."""
        document = str(self.documents("import.edi"))
        command = ["node", str(self.programs / "libas2_peer.js"), "send", self.url, document, *options]
        environment = {"AS2_KEYS": str(self.keys), "NODE_PATH": str(NODE_MODULES)}
        done = subprocess.run(
            command, env=os.environ | environment, capture_output=True, check=False, timeout=120
        )
        assert done.stdout.startswith(b"{"), done.stderr.decode()
        return dict(json.loads(done.stdout))

    def accepted(self) -> int:
        """How many declarations the gateway has taken in as valid."""
        with contextlib.closing(sqlite3.connect(self.keys.parent / "ledger.db")) as db:
            query = "SELECT count(*) FROM lodgement WHERE state = 'accepted'"
            return int(db.execute(query).fetchone()[0])

    def _run(self, program: str, options: tuple[str, ...], file: str, status: int) -> dict[str, Any]:
        done = subprocess.run(
            [
                sys.executable,
                str(self.programs / program),
                *options,
                "--url",
                self.url,
                "--file",
                str(self.documents(file)),
            ],
            env=os.environ | {"AS2_KEYS": str(self.keys)},
            capture_output=True,
            check=False,
            timeout=120,
        )
        assert done.stdout.startswith(b"{"), done.stderr.decode()
        printed = json.loads(done.stdout)
        assert printed["http"] == status
        assert isinstance(printed, dict)
        return printed


@pytest.fixture(scope="module")
def peers(
    shared: pathlib.Path,
    starter: pathlib.Path,
    tmp_path_factory: pytest.TempPathFactory,
    serve_all_module: Any,
    door: Any,
    declaration: Callable[..., bytes],
    ports: Any,
) -> Peers:
    """The gateway is called alice and has her keys; bob and rob are its partners."""
    folder = pathlib.Path(shutil.copytree(starter, tmp_path_factory.mktemp("peers") / "gateway"))
    keys, programs = folder / "peers", shared / "as2/peers"
    subprocess.run(
        ["bash", str(programs / "mkkeys.sh")],
        env=os.environ | {"AS2_KEYS": str(keys)},
        check=True,
        capture_output=True,
    )
    for file in keys.glob("bob.*"):
        shutil.copy(file, keys / file.name.replace("bob", "rob"))
        shutil.copy(file, keys / file.name.replace("bob", "eve"))
    port = ports.one()
    for name, allow in (("bob", []), ("rob", ["unsigned", "unencrypted"])):
        text = PARTNER.format(name=name, allow=json.dumps(allow), port=port)
        (folder / f"partners/{name}.toml").write_text(text)
    settings = (folder / "gateway.toml").read_text().replace('as2-name = "TIDEWAITER"', 'as2-name = "alice"')
    settings = settings.replace("keys/gateway.pem", "peers/alice.cert.pem")
    settings = settings.replace("keys/gateway.key", "peers/alice.key.pem")
    (folder / "gateway.toml").write_text(settings + DECRYPTION)
    numbers = itertools.count()

    def document(name: str) -> pathlib.Path:
        file = folder / f"{next(numbers):04}-{name}"
        made = sample(name) if "invalid" in name else declaration(f"PEER-{file.name[:4]}", name)
        # The sender of the samples is another partner.
        file.write_bytes(made.replace(b"UNOC:3+MERIDIAN", b"UNOC:3+BOB"))
        return file

    gateway = serve_all_module(folder)
    assert anyio.run(gateway.ready, backend="trio")
    return Peers(programs, keys, f"http://127.0.0.1:{door(folder).http_port}/as2", gateway, document, port)


ENCRYPTED = ("--encrypt", "aes-256-cbc")
USUAL = ("--sign", "rsa", *ENCRYPTED)


@needs_pyas2lib
@pytest.mark.parametrize(
    "options",
    [
        "--sign --encrypt",
        "--sign --encrypt --compress",
        "--sign --encrypt --enc aes_128_cbc --micalg sha512",
        "--sign --encrypt --oaep",
        "--sign --encrypt --pss",
    ],
)
def test_pyas2lib_confirms_the_receipt(peers: Peers, options: str) -> None:
    printed = peers.pyas2(*options.split())
    assert printed["mdn"] == ["processed", None]
    assert printed["mdn_signed"] is True


@needs_pyas2lib
@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ("--sign", "insufficient-message-security"),
        ("--sign --encrypt --enc tripledes_192_cbc", "insufficient-message-security"),
        ("--encrypt", "decryption-failed"),
    ],
)
def test_pyas2lib_reads_a_refusal(peers: Peers, options: str, answer: str) -> None:
    assert peers.pyas2(*options.split())["mdn"] == ["processed/error", answer]


@needs_pyas2lib
def test_pyas2lib_is_answered_with_nothing_where_it_asks_for_no_receipt(peers: Peers) -> None:
    assert peers.pyas2("--sign", "--encrypt", "--mdn", "none")["http"] == 200


@pytest.mark.parametrize(
    "options",
    [
        " ".join(USUAL),
        "--sign pss --encrypt aes-128-cbc",
        "--sign ec --encrypt aes-256-cbc",
        "--sign rsa --encrypt aes-128-gcm",
        "--sign rsa --encrypt aes-256-cbc --key oaep",
        "--sign ec --encrypt aes-128-cbc --key ecdh",
        "--sign pss --encrypt aes-256-gcm --key ecdh --compress after",
        "--sign rsa --encrypt aes-256-cbc --compress before",
        "--sign rsa --encrypt aes-256-cbc --compress after",
        "--sign rsa --encrypt aes-256-cbc --cte base64",
        "--sign rsa --encrypt aes-256-cbc --ber --chunked",
        "--sign rsa --encrypt aes-256-cbc --md sha512 --micalg sha-512",
        "--sign rsa --encrypt aes-256-cbc --fault fold",
        "--me rob --sign rsa",
        "--me rob --encrypt aes-256-cbc --fault bare",
    ],
)
def test_openssl_confirms_the_receipt(peers: Peers, options: str) -> None:
    before = peers.accepted()
    _confirmed(peers.openssl(*options.split()))
    assert peers.accepted() == before + 1


@pytest.mark.parametrize("name", ["export.xml", "plants.xml"])
def test_xml_is_as_good_as_edifact(peers: Peers, name: str) -> None:
    _confirmed(peers.openssl(*USUAL, "--ct", "application/xml", file=name))


def test_an_invalid_document_is_receipted_all_the_same(peers: Peers) -> None:
    """The receipt is about the message; what is wrong with the document is a business answer."""
    _confirmed(peers.openssl(*USUAL, file="invalid.edi"))


def _confirmed(printed: dict[str, Any]) -> None:
    assert printed["disposition"] == "automatic-action/MDN-sent-automatically; processed"
    assert printed["mdn_signature"] == "valid"
    assert printed["mic_match"] is True
    assert printed["original-message-id"] == printed["message_id"]


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ("--me rob --sign rsa --fault tamper", "error: integrity-check-failed"),
        ("--me rob --sign rsa --fault wrong-signer", "error: authentication-failed"),
        ("--me rob --sign rsa --compress before --fault bad-zlib", "error: decompression-failed"),
        ("--sign rsa --encrypt aes-256-cbc --fault tamper", "error: decryption-failed"),
        ("--sign rsa --encrypt aes-256-cbc --fault wrong-signer", "error: decryption-failed"),
        ("--sign rsa --encrypt aes-256-cbc --fault wrong-recipient", "error: decryption-failed"),
        ("--sign rsa --encrypt des3", "error: insufficient-message-security"),
        ("--me rob --sign rsa --md sha1", "error: insufficient-message-security"),
        ("--sign rsa", "error: insufficient-message-security"),
        ("--me eve --sign rsa --encrypt aes-256-cbc", "error: unknown-trading-partner"),
    ],
)
def test_openssl_reads_a_refusal(peers: Peers, options: str, answer: str) -> None:
    printed = peers.openssl(*options.split())
    assert printed["disposition"] == f"automatic-action/MDN-sent-automatically; processed/{answer}"
    assert printed["original-message-id"] == printed["message_id"]


def test_a_receipt_for_an_address_that_is_not_agreed_is_refused(peers: Peers) -> None:
    later = ("--mdn", "async", "--async-url", "http://127.0.0.1:9/mdn")
    assert "; failed/failure" in peers.openssl(*USUAL, *later)["disposition"]


@pytest.fixture(scope="module")
def bob(peers: Peers) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Bob's own server, pyas2lib: gives what has happened there."""
    program = [sys.executable, str(peers.programs / "pyas2_peer.py"), "server", "--port", str(peers.port)]
    server = subprocess.Popen(program, env=os.environ | {"AS2_KEYS": str(peers.keys)}, stdout=subprocess.PIPE)
    assert server.stdout is not None
    assert b"pyas2lib peer" in server.stdout.readline()

    def happened() -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"http://127.0.0.1:{peers.port}/") as log:
            return list(json.loads(log.read()))

    yield happened
    server.kill()
    server.wait()
    server.stdout.close()


@needs_pyas2lib
def test_pyas2lib_confirms_a_receipt_that_comes_later(peers: Peers, bob: Any, until: Any) -> None:
    url = f"http://127.0.0.1:{peers.port}/mdn"
    printed = peers.pyas2("--sign", "--encrypt", "--mdn", "async", "--mdn-url", url)
    assert "mdn" not in printed

    def come() -> list[dict[str, Any]]:
        return [one for one in bob() if one.get("original") == printed["message_id"]]

    async def wait() -> list[dict[str, Any]]:
        return list(await until(come, "the receipt"))

    assert anyio.run(wait, backend="trio") == [
        {"kind": "async-mdn", "result": ["processed", None], "original": printed["message_id"]}
    ]


@needs_pyas2lib
def test_pyas2lib_opens_what_is_sent_to_it(peers: Peers, bob: Any) -> None:
    command = ("-m", "tidewaiter", "as2", "send", "--dir", str(peers.keys.parent), "--to", "bob", "--json")
    done = subprocess.run(
        [sys.executable, *command, str(peers.documents("import.edi"))],
        cwd=peers.keys,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (row,) = json.loads(done.stdout)
    (seen,) = [one for one in bob() if f"<{one.get('id')}>" == row["message"]]
    assert (seen["status"], seen["signed"], seen["encrypted"]) == ("processed", True, True)


@needs_libas2
@pytest.mark.parametrize("options", ["--enc aes256-CBC", "--enc aes128-GCM", "--alg sha-512"])
def test_libas2_confirms_the_receipt(peers: Peers, options: str) -> None:
    before = peers.accepted()
    printed = peers.libas2(*options.split())
    assert printed["http"] == 200
    assert printed["mdn"]["signed"] is True
    assert printed["mdn"]["disposition"]["processed"] is True
    assert printed["mdn"]["receivedContentMic"]["mic"]
    assert peers.accepted() == before + 1


def test_a_message_without_a_name_is_no_as2_message(peers: Peers) -> None:
    assert peers.openssl(*USUAL, "--fault", "no-message-id", status=400)["disposition"] is None


def test_the_same_message_twice_has_one_receipt_and_another_under_its_name_is_refused(peers: Peers) -> None:
    document = peers.documents("export.xml")
    again = peers._replace(documents=lambda _: document)
    options = (*USUAL, "--ct", "application/xml", "--fault", "dup-id")
    # Signed and encrypted anew, so the octets differ.
    for printed in (again.openssl(*options), again.openssl(*options)):
        _confirmed(printed)
    assert "error: unexpected-processing-error" in peers.openssl(*options, file="export.xml")["disposition"]


def test_a_zip_bomb_is_put_out(peers: Peers) -> None:
    """256 MiB of zeros, signed and compressed: the gateway inflates as much as a document may have."""
    before = peers.gateway.memory(afresh=True)
    printed = peers.openssl("--me", "rob", "--sign", "rsa", "--compress", "before", "--fault", "zip-bomb")
    assert "error: decompression-failed" in printed["disposition"]
    assert peers.gateway.memory() - before <= BOMB_MEMORY
    _confirmed(peers.openssl(*USUAL))
