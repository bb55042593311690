"""Receipts as they are sent: verified by openssl, read by people and machines."""

import pathlib
import re
import shutil
import subprocess
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tidewaiter.gateway.as2 import Disposition, Identity, Mdn, Mic, compose_mdn, identify, mime
from tidewaiter.gateway.as2.composing import FEATURES
from tidewaiter.gateway.as2.multipart import split
from tidewaiter.security import Digest

MIC = Mic.over(b"x", Digest.SHA256)
SIGNED = "signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, sha-256"


def identity(**changes: str) -> Identity:
    headers = {
        "as2-from": "bob",
        "as2-to": "alice",
        "message-id": "<1@bob>",
        "disposition-notification-to": "x",
        "disposition-notification-options": SIGNED,
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    return identify((name.encode(), value.encode("latin-1")) for name, value in headers.items())


def receipt(link: Any, of: Identity | None = None, **changes: Any) -> Mdn:
    values = {"disposition": Disposition.PROCESSED, "mic": MIC, "terms": link.alice(), **changes}
    return compose_mdn(
        of or identity(),
        values["disposition"],
        values["mic"],
        values["terms"],
        message_id=values.get("message_id", "r@alice"),
        now=link.now,
        boundary=values.get("boundary", "abc"),
        text=values.get("text"),
    )


def entity_of(link: Any, mdn: Mdn) -> mime.Entity:
    return mime.from_http(link.wire(mdn.headers), mdn.body)


def fields_of(link: Any, mdn: Mdn) -> dict[str, str]:
    outer = entity_of(link, mdn)
    report = mime.read_entity(split(outer).parts[0]) if outer.media_type == "multipart/signed" else outer
    return mime.read_fields(mime.read_entity(split(report).parts[1]).body)


@pytest.fixture(scope="session")
def openssl() -> str:
    found = shutil.which("openssl")
    if found is None:
        pytest.skip("the openssl command is not installed")
    return found


@pytest.mark.parametrize("disposition", [Disposition.PROCESSED, Disposition.DECRYPTION_FAILED])
def test_openssl_verifies_a_receipt(
    link: Any, openssl: str, tmp_path: pathlib.Path, disposition: Disposition
) -> None:
    mdn = receipt(link, disposition=disposition)
    lines = "".join(f"{name}: {value}\r\n" for name, value in mdn.headers)
    (tmp_path / "mdn.eml").write_bytes(lines.encode() + b"\r\n" + mdn.body)
    (tmp_path / "alice.pem").write_bytes(link.keys["alice"].certificate.public_bytes(Encoding.PEM))
    report, signature = split(entity_of(link, mdn)).parts
    (tmp_path / "report").write_bytes(report)
    (tmp_path / "signature.der").write_bytes(mime.decode_cms(mime.read_entity(signature)))
    ours = ["-noverify", "-nointern", "-certfile", "alice.pem", "-out", "out"]
    detached = ["-inform", "DER", "-in", "signature.der", "-content", "report", "-binary"]
    for how in (["-in", "mdn.eml"], detached):
        done = subprocess.run(
            [openssl, "cms", "-verify", *how, *ours], cwd=tmp_path, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "out").read_bytes() == report


def test_openssl_refuses_a_changed_receipt(link: Any, openssl: str, tmp_path: pathlib.Path) -> None:
    mdn = receipt(link, disposition=Disposition.DECRYPTION_FAILED)
    lines = "".join(f"{name}: {value}\r\n" for name, value in mdn.headers)
    changed = mdn.body.replace(b"processed/error: decryption-failed", b"processed")
    (tmp_path / "mdn.eml").write_bytes(lines.encode() + b"\r\n" + changed)
    command = [openssl, "cms", "-verify", "-in", "mdn.eml", "-noverify", "-out", "out"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0


def test_the_form_of_a_signed_receipt(link: Any) -> None:
    outer = entity_of(link, receipt(link))
    assert outer.media_type == "multipart/signed"
    assert outer.parameter("content-type", "protocol") == "application/pkcs7-signature"
    assert outer.parameter("content-type", "micalg") == "sha-256"
    report, signature = (mime.read_entity(part) for part in split(outer).parts)
    assert report.media_type == "multipart/report"
    assert report.parameter("content-type", "report-type") == "disposition-notification"
    assert signature.media_type == "application/pkcs7-signature"
    types = [mime.read_entity(part).media_type for part in split(report).parts]
    assert types == ["text/plain", "message/disposition-notification"]


def test_the_fields(link: Any) -> None:
    assert fields_of(link, receipt(link)) == {
        "reporting-ua": "Tidewaiter",
        "original-recipient": "rfc822; alice",
        "final-recipient": "rfc822; alice",
        "original-message-id": "<1@bob>",
        "disposition": "automatic-action/MDN-sent-automatically; processed",
        "received-content-mic": f"{MIC.value}, sha-256",
    }


@pytest.mark.parametrize("digest", list(Digest))
def test_the_name_of_the_mic_algorithm(link: Any, digest: Digest) -> None:
    name = fields_of(link, receipt(link, mic=Mic.over(b"x", digest)))["received-content-mic"].partition(", ")[
        2
    ]
    assert name == {Digest.SHA1: "sha1"}.get(digest, digest.micalg)


def test_the_http_headers(link: Any) -> None:
    headers = dict(receipt(link).headers)
    assert headers["AS2-Version"] == "1.2"
    assert headers["EDIINT-Features"] == FEATURES
    assert (headers["AS2-From"], headers["AS2-To"]) == ("alice", "bob")
    assert headers["Message-ID"] == "<r@alice>"
    assert headers["MIME-Version"] == "1.0"


def test_names_change_places_and_keep_their_quotes(link: Any) -> None:
    mdn = receipt(link, identity(as2_from='"bob"', as2_to='"alice"'))
    headers = dict(mdn.headers)
    assert (headers["AS2-From"], headers["AS2-To"]) == ('"alice"', '"bob"')
    assert fields_of(link, mdn)["final-recipient"] == 'rfc822; "alice"'


@pytest.mark.parametrize(
    "message_id", ["<1@bob>", "1@bob", "no at", "<a b@c d>", "<" + "x" * 996 + ">", "<\u00e9\u00ff@b>"]
)
def test_the_message_id_comes_back_as_it_came(link: Any, message_id: str) -> None:
    mdn = receipt(link, identity(message_id=message_id))
    assert b"\r\nOriginal-Message-ID: " + message_id.encode("latin-1") + b"\r\n" in mdn.body


def test_no_line_is_folded(link: Any) -> None:
    mdn = receipt(link, identity(message_id="<" + "x" * 996 + ">"))
    assert not any(set(value) & set("\r\n") for _, value in mdn.headers)
    assert not re.search(rb"\r\n[ \t]", mdn.body)
    assert re.search(rb'\nContent-Type: multipart/report; [^\r\n]*boundary="r-abc"\r\n', mdn.body)
    assert b"\n" not in mdn.body.replace(b"\r\n", b"")


def test_every_disposition_can_be_told(link: Any) -> None:
    for disposition in Disposition:
        field = fields_of(link, receipt(link, disposition=disposition))["disposition"]
        assert field == f"automatic-action/MDN-sent-automatically; {disposition.text}"


def test_a_stranger_gets_an_unsigned_receipt(link: Any) -> None:
    mdn = receipt(link, disposition=Disposition.UNKNOWN_TRADING_PARTNER, mic=None, terms=None)
    assert entity_of(link, mdn).media_type == "multipart/report"
    fields = fields_of(link, mdn)
    assert fields["disposition"].endswith("; processed/error: unknown-trading-partner")
    assert "received-content-mic" not in fields


@pytest.mark.parametrize("case", ["not asked for", "no key"])
def test_unsigned_receipts(link: Any, case: str) -> None:
    if case == "no key":
        mdn = receipt(link, terms=link.alice(signer=None, sign=False))
    else:
        mdn = receipt(link, identity(disposition_notification_options=""))
    assert entity_of(link, mdn).media_type == "multipart/report"
    assert fields_of(link, mdn)["received-content-mic"].startswith(MIC.value)


def test_a_text_of_our_own_stays_ascii_and_in_its_part(link: Any) -> None:
    mdn = receipt(link, text="See \u00e9\nDisposition: x; processed")
    assert b"See ?\r\nDisposition: x; processed\r\n" in mdn.body
    assert fields_of(link, mdn)["disposition"].startswith("automatic-action")


@pytest.mark.parametrize(
    "changes",
    [
        {"boundary": 'a"b'},
        {"boundary": "a\r\nb"},
        {"boundary": "x" * 70},
        {"message_id": "a\r\nB: c"},
    ],
)
def test_what_would_break_the_receipt_is_refused(link: Any, changes: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        receipt(link, **changes)


def test_a_boundary_that_stands_in_the_content_is_refused(link: Any) -> None:
    with pytest.raises(ValueError, match="boundary"):
        receipt(link, text="a line of --r-abc here")


def test_the_same_receipt_is_the_same_bytes(link: Any) -> None:
    assert receipt(link) == receipt(link)
