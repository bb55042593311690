"""What ours is held against: pyas2lib, which reads keys once and certificates with every message.

Its certificates are not validated, which is the fastest way it offers. It has no EC keys and no GCM.
"""

import importlib
import importlib.util
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tidewaiter.benchmarks.as2.material import ALICE, BOB, Keys, Partners
from tidewaiter.codecs.document import EDIFACT_MEDIA_TYPE
from tidewaiter.gateway.as2 import Composed

NAME = "pyas2lib"
MISSING = "pyas2lib is not installed (pip install 'tidewaiter[peers]'): its rows are left out"
_DIGEST, _CIPHER = "sha256", "aes_256_cbc"
# oscrypto, which pyas2lib needs, knows OpenSSL by a version of three single digits; 3.0.19 is none.
_OSCRYPTO = ("oscrypto.asymmetric", "oscrypto.symmetric", "oscrypto.util")
_NARROW, _WIDE = r"\b(\d\.\d\.\d[a-z]*)\b", r"\b(\d\.\d\.\d+[a-z]*)\b"


def is_there() -> bool:
    """Whether pyas2lib is installed."""
    return importlib.util.find_spec(NAME) is not None


def receiving(partners: Partners, message: Composed) -> Callable[[], tuple[str, str, bytes]]:
    """`message` parsed and receipted by pyas2lib: the status, its MIC, and the receipt's body."""
    as2 = _as2()
    head = "".join(f"{name}: {value}\r\n" for name, value in message.headers).encode("latin-1")
    raw = head + b"\r\n" + message.body
    organization, partner = _ends(as2, ALICE, partners.alice, BOB, partners.bob)

    def received() -> tuple[str, str, bytes]:
        parsed = as2.Message()
        status, _, mdn = parsed.parse(
            raw, find_org_cb=lambda _: organization, find_partner_cb=lambda _: partner
        )
        return status, (parsed.mic or b"").decode(), mdn.content

    return received


def composing(partners: Partners, payload: bytes) -> Callable[[], tuple[dict[str, str], bytes]]:
    """`payload` built by pyas2lib: headers and body."""
    as2 = _as2()
    organization, partner = _ends(as2, BOB, partners.bob, ALICE, partners.alice)

    def composed() -> tuple[dict[str, str], bytes]:
        message = as2.Message(sender=organization, receiver=partner)
        message.build(payload, content_type=EDIFACT_MEDIA_TYPE)
        return message.headers, message.content

    return composed


def _ends(as2: Any, our: str, ours: Keys, their: str, theirs: Keys) -> tuple[Any, Any]:
    organization = as2.Organization(
        as2_name=our,
        sign_key=ours.pem,
        sign_key_pass=None,
        decrypt_key=ours.pem,
        decrypt_key_pass=None,
        domain=f"{our}.example",
    )
    partner = as2.Partner(
        as2_name=their,
        verify_cert=theirs.certificate_pem,
        encrypt_cert=theirs.certificate_pem,
        validate_certs=False,
        sign=True,
        encrypt=True,
        digest_alg=_DIGEST,
        enc_alg=_CIPHER,
        mdn_mode="SYNC",
        mdn_digest_alg=_DIGEST,
    )
    return organization, partner


def _as2() -> Any:
    with _longer_versions():
        for name in _OSCRYPTO:
            importlib.import_module(name)
    return importlib.import_module(f"{NAME}.as2")


@contextmanager
def _longer_versions() -> Iterator[None]:
    """Within it, who searches a text for a version of single digits finds longer ones."""
    search = re.search

    def widened(pattern: Any, *arguments: Any, **keywords: Any) -> Any:
        return search(_WIDE if pattern == _NARROW else pattern, *arguments, **keywords)

    re.search = widened
    try:
        yield
    finally:
        re.search = search
