"""A partner that is pyas2lib, with oscrypto and asn1crypto below it. Usage: pyas2_peer.py KEYS"""

import base64
import functools
import importlib.metadata
import pathlib
import re
import sys
from typing import Any
from unittest import mock

from lines import Answer, Fields, Options, Peer, post, run

_search = re.search


def _two_digits(pattern: Any, string: Any, *rest: Any) -> Any:
    r"""oscrypto 1.3.0 looks for `\d\.\d\.\d` and a letter: it takes no OpenSSL from 3.0.10 on for one."""
    widened = pattern.replace(r"\.\d[a-z]*", r"\.\d+[a-z]*") if isinstance(pattern, str) else pattern
    return _search(widened, string, *rest)


with mock.patch("re.search", _two_digits):
    from oscrypto import asymmetric, symmetric, util  # noqa: F401  read here, while the search is patched
from pyas2lib import as2, cms  # noqa: E402

CIPHERS = {
    "des3": "tripledes_192_cbc",
    "aes-128-cbc": "aes_128_cbc",
    "aes-192-cbc": "aes_192_cbc",
    "aes-256-cbc": "aes_256_cbc",
}
SCHEMES = {"pkcs1": "rsassa_pkcs1v15", "pss": "rsassa_pss"}
# oscrypto's OAEP is with SHA-1 for both digests.
TRANSPORTS = {"pkcs1": "rsaes_pkcs1v15", "oaep-sha1": "rsaes_oaep"}
# Message.build signs by the partner's scheme but never asks for the partner's key transport.
_encrypt = cms.encrypt_message


class PyAs2(Peer):
    """Keys are by name in one folder; this side is `peer`, the other `gateway`."""

    def __init__(self, keys: pathlib.Path) -> None:
        super().__init__()
        self._keys = keys
        self._sent: dict[str, as2.Message] = {}

    def version(self) -> str:
        return f"pyas2lib {importlib.metadata.version('pyas2lib')}"

    def _parties(self, options: Options, scheme: str) -> tuple[as2.Organization, as2.Partner]:
        """Both sides. What pyas2lib has no name for it may still have to read: it says so itself."""
        names = [f"{name}{end}" for name in ("peer", "gateway") for end in (".pem", ".key")]
        certificate, key, theirs = ((self._keys / name).read_bytes() for name in names[:3])
        mdn = options["mdn"]
        organization = as2.Organization(
            as2_name=options["me"],
            sign_key=certificate + key,
            decrypt_key=certificate + key,
            mdn_url=self.mdn_url,
            domain="peer",
        )
        partner = as2.Partner(
            as2_name=options["them"],
            verify_cert=theirs,
            encrypt_cert=theirs,
            validate_certs=False,
            sign=options["sign"] != "none",
            sign_alg=SCHEMES.get(scheme, "rsassa_pkcs1v15"),
            digest_alg=options["digest"],
            encrypt=options["encrypt"] != "none",
            enc_alg=CIPHERS.get(options["encrypt"], "aes_256_cbc"),
            key_enc_alg=TRANSPORTS.get(options["key"], "rsaes_pkcs1v15"),
            compress=options["compress"] == "before",
            mdn_mode=None if mdn == "none" else "ASYNC" if mdn.startswith("async") else "SYNC",
            mdn_digest_alg=options["digest"] if mdn in {"signed", "async"} else None,
        )
        return organization, partner

    def prepare(self, options: Options) -> None:
        if options["scheme"] not in SCHEMES:
            raise NotImplementedError(f"pyas2lib does not sign by {options['scheme']}")

    def send(self, url: str, payload: bytes, options: Options) -> dict[str, Any]:
        for name, known in (("encrypt", CIPHERS), ("key", TRANSPORTS), ("sign", SCHEMES)):
            if options[name] not in {"none", *known}:
                raise NotImplementedError(f"pyas2lib has no {options[name]}")
        if options["compress"] == "after":
            raise NotImplementedError("pyas2lib compresses before it signs")
        organization, partner = self._parties(options, options["sign"])
        message = as2.Message(sender=organization, receiver=partner)
        encrypt = functools.partial(_encrypt, key_enc_alg=partner.key_enc_alg)
        with mock.patch("pyas2lib.as2.encrypt_message", encrypt):
            message.build(
                payload,
                filename="declaration.edi",
                content_type=options["type"],
                additional_headers={"MIME-Version": "1.0"},
            )
        self._sent[message.message_id] = message
        answer = post(url, message.headers.items(), message.content)
        told = {"status": answer.status, "message_id": f"<{message.message_id}>", "mic": _mic(message)}
        return told | (self.on_receipt(answer.headers, answer.body) if answer.body else {"disposition": None})

    def on_receipt(self, headers: Fields, body: bytes) -> dict[str, Any]:
        mdn = as2.Mdn()
        found: list[as2.Message] = []

        def find(message_id: str, _recipient: str) -> as2.Message:
            found.append(self._sent[message_id])
            return found[0]

        status, detail = mdn.parse(_raw(headers, body), find)
        fields = [part for part in mdn.payload.walk() if "Disposition" in part] if mdn.payload else []
        returned = fields[0].get("Received-Content-MIC", "") if fields else ""
        sent = _mic(found[0]) if found else None
        return {
            "disposition": f"{status}: {detail}" if detail else status,
            # Set where the signature was verified, and there only.
            "signed": mdn.digest_alg is not None,
            "original": fields[0]["Original-Message-ID"] if fields else None,
            "mic_returned": returned,
            "mic_matches": returned.partition(",")[0] == sent if sent and returned else None,
        }

    def on_message(self, headers: Fields, body: bytes, options: Options) -> tuple[dict[str, Any], Answer]:
        organization, partner = self._parties(options, options["scheme"])
        message = as2.Message()
        status, (error, _), mdn = message.parse(
            _raw(headers, body),
            find_org_cb=lambda name: organization if name == options["me"] else None,
            find_partner_cb=lambda name: partner if name == options["them"] else None,
        )
        content = message.content if status == "processed" else b""
        noted = {
            "status": status,
            "detail": str(error) if error else None,
            "message_id": f"<{message.message_id}>",
            "payload": base64.b64encode(content).decode(),
            "filename": message.payload.get_filename() if status == "processed" else None,
            "signed": message.signed,
            "encrypted": message.encrypted,
            "compressed": message.compressed,
            "mic": _mic(message),
        }
        if mdn is None:
            return noted, Answer(200, [], b"")
        if mdn.mdn_mode == "ASYNC":
            return noted, Answer(202, [], b"", (mdn.mdn_url, list(mdn.headers.items()), mdn.content))
        return noted, Answer(200, list(mdn.headers.items()), mdn.content)


def _mic(message: as2.Message) -> str | None:
    """pyas2lib has one for signed messages only."""
    return message.mic.decode() if message.mic else None


def _raw(headers: Fields, body: bytes) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers).encode() + b"\r\n" + body


if __name__ == "__main__":
    run(PyAs2(pathlib.Path(sys.argv[1])))
