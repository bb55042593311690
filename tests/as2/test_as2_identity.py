"""What the headers of a message say, and what they refuse by themselves."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.gateway.as2 import BadRequest, Disposition, Identity, identify

BASE = {"as2-from": "bob", "as2-to": "alice", "message-id": "<1@bob>"}
SIGNED = "signed-receipt-protocol=required, pkcs7-signature; signed-receipt-micalg=required, sha-256, sha1"


def of(**changes: str | None) -> Identity:
    headers = {**BASE, **{name.replace("_", "-"): value for name, value in changes.items()}}
    return identify((k.encode(), v.encode("latin-1")) for k, v in headers.items() if v is not None)


def test_names_are_unquoted_and_kept() -> None:
    identity = of(as2_from='"bob and sons"', as2_to=" alice ")
    assert (identity.as2_from, identity.as2_from_raw) == ("bob and sons", '"bob and sons"')
    assert (identity.as2_to, identity.as2_to_raw) == ("alice", "alice")


def test_header_names_are_in_any_case_and_the_first_counts() -> None:
    identity = identify(
        [(b"AS2-FROM", b"bob"), (b"As2-To", b"alice"), (b"message-ID", b"1"), (b"message-id", b"2")]
    )
    assert (identity.as2_from, identity.message_id) == ("bob", "1")


@pytest.mark.parametrize(
    ("version", "accepted"),
    [(None, "1.0"), ("1.0", "1.0"), ("1.1", "1.1"), ("1.2", "1.2"), ("1.3", "1.3"), ("1.99", "1.99")],
)
def test_any_version_1_is_accepted(version: str | None, accepted: str) -> None:
    assert of(as2_version=version).version == accepted


@pytest.mark.parametrize("version", ["", "2.0", "1", "1.x", "0.9", "1.2.3"])
def test_other_versions_are_not(version: str) -> None:
    with pytest.raises(BadRequest, match="AS2-Version"):
        of(as2_version=version)


def test_features_are_kept_and_never_matter() -> None:
    assert of(ediint_features="multiple-attachments , CEM,,X").features == (
        "multiple-attachments",
        "CEM",
        "X",
    )


@pytest.mark.parametrize("missing", BASE)
def test_without_names_or_id_it_is_no_as2_message(missing: str) -> None:
    for value in (None, "", "  "):
        with pytest.raises(BadRequest) as caught:
            of(**{missing.replace("-", "_"): value})
        assert caught.value.status == 400


@pytest.mark.parametrize(
    "message_id",
    [
        "<1@bob>",
        "1@bob",
        "no at sign",
        "<" + "a" * 996 + ">",
        "<mecas2-1@my company>",
        "<\u00e9@bob>",
        "<a\tb@c>",
    ],
)
def test_a_message_id_is_taken_as_it_is(message_id: str) -> None:
    identity = of(message_id=message_id)
    assert identity.message_id == message_id
    assert identity.objection is None


@pytest.mark.parametrize("message_id", ["<" + "a" * 997 + ">", "<>", "<a\r\nX: y>", "<a\x00>", "<a\nb>"])
def test_a_message_id_that_cannot_be_echoed_is_refused(message_id: str) -> None:
    with pytest.raises(BadRequest, match="Message-ID"):
        of(message_id=message_id)


@pytest.mark.parametrize("message_id", ["<a b@c>", "<a\tb@c>"])
def test_from_version_1_3_on_a_message_id_has_no_spaces(message_id: str) -> None:
    assert of(message_id=message_id, as2_version="1.2").objection is None
    assert of(message_id=message_id, as2_version="1.3").objection is Disposition.INVALID_MESSAGE_ID


def test_no_receipt_is_wanted_without_being_asked_for() -> None:
    identity = of(disposition_notification_options=SIGNED, receipt_delivery_option="http://192.0.2.1/")
    assert identity.receipt is None
    assert (identity.wants_mdn, identity.wants_signed, identity.micalgs) == (False, False, ())
    assert identity.objection is None


@pytest.mark.parametrize(
    ("options", "signed", "micalgs"),
    [
        (None, False, ()),
        ("", False, ()),
        (SIGNED, True, ("sha-256", "sha1")),
        (
            "signed-receipt-protocol=optional,pkcs7-signature;\tsigned-receipt-micalg=optional,sha1",
            True,
            ("sha1",),
        ),
        (
            "Signed-Receipt-Protocol = Required , PKCS7-Signature ; Signed-Receipt-MicAlg = SHA256",
            True,
            ("SHA256",),
        ),
        ('signed-receipt-micalg="optional", "sha-256"', True, ("sha-256",)),
        (
            "signed-receipt-protocol=optional, pgp-signature; signed-receipt-micalg=optional, md5",
            False,
            ("md5",),
        ),
        ("nonsense;;=;a", False, ()),
    ],
)
def test_receipt_options(options: str | None, signed: bool, micalgs: tuple[str, ...]) -> None:
    identity = of(disposition_notification_to="x", disposition_notification_options=options)
    assert (identity.wants_mdn, identity.wants_signed, identity.micalgs) == (True, signed, micalgs)
    assert identity.objection is None


@pytest.mark.parametrize("flag", ["", "bob@example.com", "http://example.com", "not an address <<>>"])
def test_where_to_notify_is_only_a_flag(flag: str) -> None:
    assert of(disposition_notification_to=flag).wants_mdn


def test_sender_equals_receiver() -> None:
    assert of(as2_from='"alice"').objection is Disposition.SENDER_EQUALS_RECEIVER
    assert of(as2_from="Alice").objection is None


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://localhost:8080/",
        "https://bob.example/mdn?x=1",
        "mailto:x@y",
        "file:///etc/passwd",
    ],
)
def test_an_address_for_the_receipt_is_told_as_it_stands(url: str) -> None:
    identity = of(disposition_notification_to="x", receipt_delivery_option=url)
    assert identity.async_url == url
    assert identity.objection is None


def test_a_format_that_is_required_and_unknown_is_refused() -> None:
    options = "signed-receipt-protocol=required, pgp-signature; signed-receipt-micalg=required, sha-256"
    identity = of(disposition_notification_to="x", disposition_notification_options=options)
    assert identity.objection is Disposition.UNSUPPORTED_FORMAT


@given(
    st.lists(
        st.tuples(st.sampled_from([*BASE, "as2-version", "disposition-notification-options"]), st.binary())
    )
)
def test_any_headers_are_an_identity_or_a_bad_request(headers: list[tuple[str, bytes]]) -> None:
    with contextlib.suppress(BadRequest):
        identify([(name.encode(), value) for name, value in headers])
