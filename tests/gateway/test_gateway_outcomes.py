"""What a receipt amounts to, and what is kept of it."""

import pytest

from tidewaiter.gateway.as2 import Disposition, MdnKind, MdnResult
from tidewaiter.gateway.outcomes import MDN_OCTETS, Failure, Mdn, Mismatched, Received, judged, mdn_of
from tidewaiter.routing.instant import Instant

AT = Instant(utc_ns=5, monotonic_ns=5, process="test")
MDN = Mdn(headers=(("a", "b"),), body=b"mdn", received=AT, disposition="processed", signer="ab")


def result(kind: MdnKind, known: Disposition | None = None, *, signed: bool = True) -> MdnResult:
    return MdnResult(kind=kind, known=known, signed=signed, disposition="said", detail="detail", signer="ab")


@pytest.mark.parametrize("kind", [MdnKind.PROCESSED, MdnKind.WARNING])
def test_success(kind: MdnKind) -> None:
    assert judged(result(kind), MDN) == Received(mdn=MDN)


@pytest.mark.parametrize("kind", [MdnKind.ERROR, MdnKind.FAILED])
@pytest.mark.parametrize(
    ("known", "signed", "final"),
    [
        (Disposition.DECRYPTION_FAILED, True, True),
        (None, True, True),
        (Disposition.DECRYPTION_FAILED, False, False),
    ],
)
def test_a_refusal_is_final_where_it_is_signed(
    kind: MdnKind, known: Disposition | None, signed: bool, final: bool
) -> None:
    assert judged(result(kind, known, signed=signed), MDN) == Failure(
        reason=f"MDN {kind.value}: said", poison=True, final=final, mdn=MDN
    )


@pytest.mark.parametrize("signed", [True, False])
def test_trouble_of_the_partners_own_is_no_word_on_the_document(signed: bool) -> None:
    known = Disposition.UNEXPECTED_PROCESSING_ERROR
    assert judged(result(MdnKind.ERROR, known, signed=signed), MDN) == Failure(
        reason="MDN error: said", troubled=True, mdn=MDN
    )


def test_other_octets() -> None:
    assert judged(result(MdnKind.MIC_MISMATCH), MDN) == Mismatched(reason="MDN mic-mismatch: detail", mdn=MDN)


@pytest.mark.parametrize("kind", [MdnKind.UNVERIFIED, MdnKind.WRONG_MESSAGE])
def test_what_proves_nothing_is_an_alarm(kind: MdnKind) -> None:
    assert judged(result(kind), MDN) == Failure(reason=f"MDN {kind.value}: said", alarm=True, mdn=MDN)


def test_what_is_kept() -> None:
    headers = ((b"content-type", b"text/plain; x=\xe9"),)
    kept = mdn_of(result(MdnKind.PROCESSED), headers, b"mdn", AT)
    assert kept == Mdn(
        headers=(("content-type", "text/plain; x=\xe9"),),
        body=b"mdn",
        received=AT,
        disposition="said",
        signer="ab",
    )
    assert kept is not None
    assert kept.told() == {"disposition": "said", "signer": "ab"}
    record = kept.record("customs", key="k")
    assert (record.party, record.scope, record.key, record.accepted) == (
        "customs",
        "as2-mdn\x1fcustoms",
        "k",
        True,
    )
    assert (record.body, record.received) == (b"mdn", AT)


def test_what_is_not_kept() -> None:
    """No receipt at all, and what no receipt has the size of."""
    assert mdn_of(result(MdnKind.MISSING), (), b"<html>", AT) is None
    unproven = MdnResult(kind=MdnKind.UNVERIFIED)
    assert mdn_of(unproven, (), bytes(MDN_OCTETS), AT) is not None
    assert mdn_of(unproven, (), bytes(MDN_OCTETS + 1), AT) is None


def test_a_proof_is_kept_however_long_it_is() -> None:
    kept = mdn_of(result(MdnKind.PROCESSED), (), bytes(MDN_OCTETS + 1), AT)
    assert kept is not None
    assert len(kept.body) == MDN_OCTETS + 1
