"""A partner whose CMS is the openssl command line. Usage: openssl_peer.py KEYS

openssl has no AS2: the MIC and the receipts are written here by hand.
"""

import base64
import hashlib
import itertools
import pathlib
import re
import sys
import tempfile
import time
from typing import Any

from lines import Answer, Fields, Options, Peer, post, run
from openssl_cms import (
    Entity,
    RefusedError,
    compressed,
    decoded,
    entity,
    inflated,
    openssl,
    parsed,
    parts,
    read,
)
from openssl_cms import fields as read_fields

MICALGS = {"sha1": "sha1", "sha256": "sha-256", "sha384": "sha-384", "sha512": "sha-512"}


class OpenSsl(Peer):
    """Keys are by name in one folder; `peer` and `peer-ec` are this side's, `gateway` and `gateway-ec` the
    other's."""

    def __init__(self, keys: pathlib.Path, scratch: pathlib.Path) -> None:
        super().__init__()
        self._keys = keys
        self._scratch = scratch
        self._numbers = itertools.count(1)
        self._mics: dict[str, str] = {}

    def version(self) -> str:
        return openssl("version").decode().strip()

    def _file(self, data: bytes) -> str:
        file = self._scratch / str(next(self._numbers))
        file.write_bytes(data)
        return str(file)

    def _key(self, name: str, end: str) -> str:
        return str(self._keys / f"{name}.{end}")

    # Composing

    def signature(self, content: bytes, scheme: str, options: Options, *more: str) -> bytes:
        """SignedData over `content`."""
        me = "peer-ec" if scheme == "ecdsa" else "peer"
        me = "other" if options.get("fault") == "signer" else me
        digest = options["digest"]
        padding = ("-keyopt", "rsa_padding_mode:pss") if scheme == "pss" else ()
        for name in ("keyid", "nocerts", "cades", "nosmimecap"):
            more += (f"-{name}",) if options.get(name) else ()
        for name in options.get("signers", ()):
            more += ("-signer", self._key(name, "pem"), "-inkey", self._key(name, "key"))
        return openssl(
            *(options.get("command", "cms"), "-sign", "-binary", "-outform", "DER", "-md", digest),
            *("-signer", self._key(me, "pem"), "-inkey", self._key(me, "key")),
            *padding,
            *more,
            data=content,
        )

    def signed(self, content: bytes, scheme: str, options: Options) -> bytes:
        """multipart/signed, or with `opaque` SignedData with the content inside."""
        more = ("-noattr",) if options.get("no_attributes") else ()
        if options.get("opaque"):
            data = self.signature(content, scheme, options, "-nodetach", *more)
            return self._cms(data, "signed-data", options)
        data = self.signature(content, scheme, options, *more)
        if options.get("fault") == "changed":
            content = content.replace(b"UNOC", b"UNOX")
        mark = b"----boundary-%d" % time.monotonic_ns()
        signature = entity(
            'application/pkcs7-signature; name="smime.p7s"', data, options.get("encoding", "base64")
        )
        fold = "\r\n\t" if options.get("folded") else " "
        micalg = MICALGS[options["digest"]]
        parameters = ('protocol="application/pkcs7-signature"', f"micalg={micalg}", "")
        head = f"Content-Type: multipart/signed;{fold}{f';{fold}'.join(parameters)}"
        return (
            head.encode() + b'boundary="' + mark + b'"\r\n\r\n'
            b"--"
            + mark
            + b"\r\n"
            + content
            + b"\r\n--"
            + mark
            + b"\r\n"
            + signature
            + b"\r\n--"
            + mark
            + b"--\r\n"
        )

    def encrypted(self, content: bytes, options: Options) -> bytes:
        """EnvelopedData, or AuthEnvelopedData for GCM."""
        transport, _, digest = options["key"].partition("-")
        theirs = "gateway-ec" if transport == "ecdh" else "gateway"
        theirs = "other" if options.get("fault") == "recipient" else theirs
        keyopts = {
            "pkcs1": (),
            "oaep": ("rsa_padding_mode:oaep", f"rsa_oaep_md:{digest}", f"rsa_mgf1_md:{digest}"),
            "ecdh": (f"ecdh_kdf_md:{digest}",),
        }[transport]
        others = ("-recip", self._key("other", "pem")) if options.get("recipients") else ()
        recipient = ("-recip", self._key(theirs, "pem"))
        if options.get("command") == "smime":
            recipient = recipient[1:]
        data = openssl(
            *(options.get("command", "cms"), "-encrypt", "-binary", "-outform", "DER"),
            f"-{options['encrypt']}",
            *(("-stream",) if options.get("ber") else ()),
            *(("-keyid",) if options.get("keyid") else ()),
            # Left alone, openssl wraps the key by the content's own cipher: Triple DES for Triple DES.
            *(("-aes256-wrap",) if transport == "ecdh" and options["encrypt"] == "des3" else ()),
            *others,
            *(recipient if options.get("command") != "smime" else ()),
            *(word for keyopt in keyopts for word in ("-keyopt", keyopt)),
            *(recipient if options.get("command") == "smime" else ()),
            data=content,
        )
        kind = "authEnveloped-data" if options["encrypt"].endswith("gcm") else "enveloped-data"
        return self._cms(data, kind, options)

    def _cms(self, data: bytes, kind: str, options: Options) -> bytes:
        name = "smime.p7z" if kind == "compressed-data" else "smime.p7m"
        if options.get("folded"):
            content_type = f'application/pkcs7-mime;\r\n smime-type={kind};\r\n\tname="{name}"'
        else:
            content_type = f'application/pkcs7-mime; smime-type={kind}; name="{name}"'
        return entity(content_type, data, options.get("encoding", "binary"))

    def composed(self, payload: bytes, options: Options) -> tuple[bytes, str]:
        """The entity of the HTTP request, and the MIC."""
        named = 'Content-Disposition: attachment; filename="declaration.edi"'
        whole = entity(options["type"], payload, options.get("payload_encoding", "binary"), named)
        if options.get("related"):
            whole = self._related(whole)
        source = whole
        if options["compress"] == "before":
            whole = self._cms(compressed(whole), "compressed-data", options)
        if options["sign"] != "none":
            source = whole
            whole = self.signed(whole, options["sign"], options)
        if options["compress"] == "after":
            whole = self._cms(compressed(whole), "compressed-data", options)
        if options["encrypt"] != "none":
            bare = options.get("bare")
            whole = self.encrypted(payload if bare else whole, options)
            source = payload if bare else source
        if whole is source and not options.get("related"):
            source = read(whole).body
        return whole, _mic(source, _wanted(options))

    @staticmethod
    def _related(document: bytes) -> bytes:
        head = (
            'Content-Type: multipart/related; type="application/edifact"; start="<root>"; '
            'boundary="related"\r\n\r\n'
        )
        document = b"Content-ID: <root>\r\n" + document
        invoice = entity(
            "application/pdf",
            b"%PDF-1.7 \xe9\n",
            "base64",
            'Content-Disposition: attachment; filename="invoice.pdf"',
        )
        note = entity("text/plain; charset=utf-8", "Grüße\r\n".encode(), "quoted-printable")
        parts = b"".join(b"--related\r\n" + part + b"\r\n" for part in (document, invoice, note))
        return head.encode() + parts + b"--related--\r\n"

    def send(self, url: str, payload: bytes, options: Options) -> dict[str, Any]:
        whole, mic = self.composed(payload, options)
        made = read(whole)
        message_id = f"<{time.monotonic_ns()}.{next(self._numbers)}@openssl>"
        headers = [(name.title(), value) for name, value in made.headers.items()]
        if not options.get("http_encoding"):
            headers = [pair for pair in headers if pair[0] != "Content-Transfer-Encoding"]
        headers += [
            ("AS2-Version", "1.2"),
            ("AS2-From", options["me"]),
            ("AS2-To", options["them"]),
            ("Message-ID", message_id),
            ("MIME-Version", "1.0"),
            ("Subject", "interoperability"),
        ]
        mdn = options["mdn"]
        if mdn != "none":
            headers.append(("Disposition-Notification-To", "peer@openssl"))
            if mdn in {"signed", "async"}:
                wanted = "signed-receipt-protocol=required, pkcs7-signature; signed-receipt-micalg=required, "
                headers.append(("Disposition-Notification-Options", wanted + MICALGS[_wanted(options)]))
            if mdn.startswith("async"):
                headers.append(("Receipt-Delivery-Option", self.mdn_url))
        self._mics[message_id] = mic
        answer = post(url, headers, made.body, chunked=bool(options.get("chunked")))
        told = {"status": answer.status, "message_id": message_id, "mic": mic}
        return told | (self.on_receipt(answer.headers, answer.body) if answer.body else {"disposition": None})

    # Receiving

    def on_receipt(self, headers: Fields, body: bytes) -> dict[str, Any]:
        receipt = Entity({name.lower(): value for name, value in headers}, b"", body)
        signed = receipt.kind == "multipart/signed"
        if signed:
            receipt = read(self._verified(receipt)[0])
        (fields,) = (
            read_fields(read(part).body.decode("latin-1"))
            for part in parts(receipt)
            if read(part).kind == "message/disposition-notification"
        )
        returned = fields.get("received-content-mic", "")
        original = fields.get("original-message-id", "")
        return {
            "disposition": fields["disposition"].partition(";")[2].strip(),
            "signed": signed,
            "original": original,
            "mic_returned": returned,
            "mic_matches": returned.partition(",")[0] == self._mics.get(original) if returned else None,
        }

    def _verified(self, made: Entity) -> tuple[bytes, str]:
        """The first part of multipart/signed, as openssl says it was signed, and by which digest."""
        content, signature = parts(made)
        data = decoded(read(signature))
        self._verify(data, "-content", self._file(content))
        return content, _digest(data)

    def _verify(self, data: bytes, *more: str) -> bytes:
        certificates = self._file(
            b"".join((self._keys / f"{name}.pem").read_bytes() for name in ("gateway", "gateway-ec"))
        )
        return openssl(
            *("cms", "-verify", "-binary", "-inform", "DER", "-noverify", "-nointern"),
            *("-certfile", certificates, *more),
            data=data,
        )

    def on_message(self, headers: Fields, body: bytes, options: Options) -> tuple[dict[str, Any], Answer]:
        made = Entity({name.lower(): value for name, value in headers}, b"", body)
        noted: dict[str, Any] = {
            "status": "processed",
            "detail": None,
            "message_id": made.headers["message-id"],
            "headers": made.headers,
        } | dict.fromkeys(("signed", "encrypted", "compressed"), False)
        source = body
        try:
            inner, source = self._opened(made, noted, options)
            noted |= _described(inner)
        except RefusedError as error:
            noted |= {"status": "processed/error: decryption-failed", "detail": str(error)}
        noted["mic"] = _mic(source, noted.pop("digest", options["digest"]))
        if "disposition-notification-to" not in made.headers:
            return noted, Answer(200, [], b"")
        answer = self._receipt(made, noted, options)
        url = made.headers.get("receipt-delivery-option")
        if url:
            return noted, Answer(204, [], b"", (url, answer.headers, answer.body))
        return noted, answer

    def _opened(self, made: Entity, noted: dict[str, Any], options: Options) -> tuple[Entity, bytes]:
        """The innermost entity, and the octets of the MIC."""
        source = made.body
        while True:
            if made.kind == "multipart/signed":
                source, noted["digest"] = self._verified(made)
                noted["signed"] = True
                made = read(source)
                continue
            if made.kind != "application/pkcs7-mime":
                return made, source
            data = decoded(made)
            match made.parameter("content-type", "smime-type"):
                case "compressed-data":
                    noted["compressed"], raw = True, inflated(data)
                case "signed-data":
                    noted |= {"signed": True, "digest": _digest(data)}
                    raw = self._verify(data)
                case _:
                    noted["encrypted"] = True
                    me = "peer-ec" if options["key"].startswith("ecdh") else "peer"
                    keys = ("-recip", self._key(me, "pem"), "-inkey", self._key(me, "key"))
                    raw = openssl("cms", "-decrypt", "-binary", "-inform", "DER", *keys, data=data)
            if not noted["signed"] or "signed-data" in made.headers["content-type"]:
                source = raw
            made = read(raw)

    def _receipt(self, made: Entity, noted: dict[str, Any], options: Options) -> Answer:
        fields = {
            "Reporting-UA": "openssl",
            "Final-Recipient": f"rfc822; {options['me']}",
            "Original-Message-ID": noted["message_id"],
            "Disposition": f"automatic-action/MDN-sent-automatically; {noted['status']}",
            "Received-Content-MIC": f"{noted['mic']}, {MICALGS[options['digest']]}",
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode()
        parts = (
            entity("text/plain", b"The message was opened by openssl.\r\n", "7bit"),
            entity("message/disposition-notification", lines, "7bit"),
        )
        head = 'multipart/report; report-type=disposition-notification; boundary="report"'
        body = b"".join(b"--report\r\n" + part + b"\r\n" for part in parts) + b"--report--\r\n"
        whole = f"Content-Type: {head}\r\n\r\n".encode() + body
        if "disposition-notification-options" in made.headers:
            whole = self.signed(
                whole, options["scheme"], options | {"opaque": options.get("opaque_mdn", False)}
            )
        answer = read(whole)
        headers = [
            ("AS2-Version", "1.2"),
            ("AS2-From", made.headers["as2-to"]),
            ("AS2-To", made.headers["as2-from"]),
            ("Message-ID", f"<{time.monotonic_ns()}@openssl>"),
            *((name.title(), value) for name, value in answer.headers.items()),
        ]
        return Answer(200, headers, answer.body)


def _described(inner: Entity) -> dict[str, Any]:
    """The document, and what came along."""
    attachments = []
    if inner.kind == "multipart/related":
        inner, *others = map(read, parts(inner))
        attachments = [
            {
                "type": other.headers["content-type"],
                "filename": other.parameter("content-disposition", "filename"),
                "content": base64.b64encode(decoded(other)).decode(),
            }
            for other in others
        ]
    return {
        "payload": base64.b64encode(decoded(inner)).decode(),
        "type": inner.headers.get("content-type"),
        "filename": inner.parameter("content-disposition", "filename"),
        "attachments": attachments,
    }


def _digest(data: bytes) -> str:
    """The first digest that SignedData names."""
    return re.search(r":(sha(?:1|256|384|512))$", parsed(data), re.MULTILINE)[1]  # type: ignore[index]


def _wanted(options: Options) -> str:
    """The digest of the MIC that is asked for: that of the signature, unless it is to be another."""
    return str(options.get("micalg", options["digest"]))


def _mic(source: bytes, digest: str) -> str:
    return base64.b64encode(hashlib.new(digest, source).digest()).decode()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        run(OpenSsl(pathlib.Path(sys.argv[1]), pathlib.Path(folder)))
