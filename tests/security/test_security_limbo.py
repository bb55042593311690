"""The path cases of x509-limbo against the authorities of an agreement; where we differ, the table says why.

The cases ask for the certificate of a host. Here the subject of the own certificate of each is the agreed
one, so what remains is the path.
"""

import datetime
import json
import pathlib
import ssl
from typing import Any

import pytest
from cryptography import x509

from tidewaiter.security.chain import Authorities

# What certificates have against RFC 5280 has been seen in AS2 (a serial number of 0).
pytestmark = pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")

REVOCATION = "revocation lists are not looked at: a certificate is withdrawn by changing the agreement"
HOST = "whose certificate it is, is told by its subject and not by the name of a host"
PURPOSE = "certificates of all purposes are met in AS2; the agreement names authority and subject"
ISSUING = "a rule for who issues: nobody is believed who would not be without it"
LEAF_KEY = "the key is held to the policy of the agreement when the signature is checked"
OWN_LIMIT = "the case sets a limit of its own, ours is MAX_DEPTH"
STRICTER = "we are stricter, or what is asked for is not supported and so refused"

# Each case, or all below a prefix that ends in a colon, that we take and the case refuses.
TAKEN = {
    "crl::revoked-certificate-with-crl": REVOCATION,
    "crl::crlnumber-missing": REVOCATION,
    "crl::crlnumber-critical": REVOCATION,
    "crl::issuer-missing-crlsign": REVOCATION,
    "pathlen::max-chain-depth-0-exhausted": OWN_LIMIT,
    "pathlen::max-chain-depth-1-exhausted": OWN_LIMIT,
    "rfc5280::aki::": ISSUING,
    "rfc5280::ski::": ISSUING,
    "rfc5280::eku::ee-wrong-eku": PURPOSE,
    "rfc5280::eku::ee-eku-empty": PURPOSE,
    "rfc5280::nc::permitted-dns-match-noncritical": ISSUING,
    "rfc5280::nc::not-allowed-in-ee-noncritical": ISSUING,
    "rfc5280::nc::not-allowed-in-ee-critical": ISSUING,
    "rfc5280::pc::ica-noncritical-pc": "no agreement asks for a certificate policy",
    "rfc5280::san::": HOST,
    "rfc5280::serial::zero": ISSUING,
    "rfc5280::leaf-ku-keycertsign": "it may also sign certificates, and is no authority for that",
    "rfc5280::ee-critical-aia-invalid": ISSUING,
    "webpki::aki::root-with-aki-": ISSUING,
    "webpki::cn::": HOST,
    "webpki::san::": HOST,
    "webpki::eku::": PURPOSE,
    "webpki::v1-cert": "plain `openssl x509 -req` makes such; it may be the end of a path and nothing else",
    "webpki::malformed-aia": "nothing is fetched, so it is not read",
    "webpki::forbidden-p192-leaf": LEAF_KEY,
    "webpki::forbidden-dsa-leaf": LEAF_KEY,
    "webpki::forbidden-weak-rsa-in-leaf": LEAF_KEY,
    "webpki::forbidden-rsa-not-divisible-by-8-in-root": "2,048 bits or more are enough",
    "webpki::forbidden-rsa-key-not-divisible-by-8-in-leaf": LEAF_KEY,
    "webpki::ee-basicconstraints-ca": "a self-made pair is often an authority, too; the subject is agreed",
}
# Each that we refuse and the case takes.
REFUSED = {
    "cve::cve-2024-0567": "the certificate has no subject that could be agreed",
    "pathlen::validation-ignores-pathlen-in-leaf": "an authority's, which may sign certificates only",
    "pathlen::self-issued-certs-pathlen": STRICTER,
    "rfc5280::nc::permitted-dn-match": STRICTER,
    "rfc5280::ca-as-leaf": "an authority's, which may sign certificates only",
}
# Cases there must be for the test to mean something.
ENOUGH = 200


def test_the_cases_of_limbo(shared: pathlib.Path) -> None:
    file = shared / "security" / "limbo.json"
    if not file.exists():
        pytest.skip("limbo.json is not beside the real messages")
    cases = json.loads(file.read_bytes())["testcases"]
    assert len(cases) >= ENOUGH
    taken = {case["id"] for case in cases if _vouched(case) and case["expected_result"] == "FAILURE"}
    refused = {case["id"] for case in cases if not _vouched(case) and case["expected_result"] == "SUCCESS"}
    assert sorted(case for case in taken if not _explained(case)) == []
    assert refused == set(REFUSED)
    unneeded = [prefix for prefix in TAKEN if not any(case.startswith(prefix) for case in taken)]
    assert unneeded == []


def _explained(case: str) -> bool:
    return any(case == name or (name[-1] in ":-" and case.startswith(name)) for name in TAKEN)


def _vouched(case: dict[str, Any]) -> bool:
    try:
        anchors = tuple(x509.load_pem_x509_certificate(pem.encode()) for pem in case["trusted_certs"])
        leaf = x509.load_pem_x509_certificate(case["peer_certificate"].encode())
    except ValueError:
        return False
    candidates = [
        ssl.PEM_cert_to_DER_cert(pem) for pem in (case["peer_certificate"], *case["untrusted_intermediates"])
    ]
    now = datetime.datetime.fromisoformat(case["validation_time"] or "2026-06-01T00:00:00+00:00")
    subject = leaf.subject.rfc4514_string()
    return bool(subject) and leaf in Authorities(anchors, subject).vouched(candidates, now)
