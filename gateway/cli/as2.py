"""The commands `as2 inspect`, `as2 send` and `as2 verify-receipt` with their options and help."""

import pathlib
from typing import Annotated

import typer

from .options import Dir, Json

as2 = typer.Typer(help="AS2 messages: look into one, send one, verify a receipt.", no_args_is_help=True)

Keys = Annotated[
    list[pathlib.Path],
    typer.Option("--key", help="A private key, PEM, to decrypt with; its certificate must be given, too."),
]
Certificates = Annotated[
    list[pathlib.Path],
    typer.Option("--certificate", help="A certificate, PEM: of a key given, or of who may have signed."),
]


@as2.command()
def inspect(
    file: Annotated[
        str,
        typer.Argument(
            help="A stored request or response with its headers, or CMS alone (DER, BER, PEM, base64); "
            "- is standard input."
        ),
    ],
    key: Keys = [],  # noqa: B006  typer reads it
    certificate: Certificates = [],  # noqa: B006  as above
    partner: Annotated[
        str, typer.Option(help="Open and judge it by the agreement with this partner or agency.")
    ] = "",
    directory: Annotated[
        pathlib.Path | None,
        typer.Option("--dir", help="Use the keys and agreements of this configuration folder."),
    ] = None,
    at: Annotated[
        str, typer.Option(help="Judge certificates as of this time; else of when it was signed or dated.")
    ] = "",
    out: Annotated[
        pathlib.Path | None,
        typer.Option("--out", help="Write the documents inside to new files in this folder."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what is inside a message: every layer, who may open it, who signed it, its MIC.

    Exit 0: nothing is wrong as far as can be seen, 1: something is, 2: it cannot be read.
    """
    from ..home import home
    from .as2_inspect import inspect_message

    folder = home(directory) if directory is not None or partner else None
    code = inspect_message(
        file,
        keys=key,
        certificates=certificate,
        partner=partner,
        folder=folder,
        at=at,
        out=out,
        as_json=as_json,
    )
    raise typer.Exit(code)


@as2.command()
def send(
    files: Annotated[list[pathlib.Path], typer.Argument(help="Documents to send.", metavar="FILE...")],
    to: Annotated[str, typer.Option(help="The partner or agency to send to, from the gateway.")] = "",
    as_partner: Annotated[
        str,
        typer.Option("--as", help="Send to the gateway, as this partner; its keys lie in keys/ of --dir."),
    ] = "",
    attach: Annotated[
        list[pathlib.Path], typer.Option("--attach", help="A file to send along with the one document.")
    ] = [],  # noqa: B006  typer reads it
    content_type: Annotated[
        str, typer.Option(help="The documents' media type; else by how they begin, else by their names.")
    ] = "",
    message_id: Annotated[
        str, typer.Option(help="The Message-ID, to send a document once more under the one it had.")
    ] = "",
    subject: Annotated[str, typer.Option(help="The Subject header.")] = "",
    url: Annotated[str, typer.Option(help="Send here instead of where the agreement says.")] = "",
    out: Annotated[
        pathlib.Path | None,
        typer.Option("--out", help="Keep each request, its MIC and the response in this folder."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write the request to --out and send nothing.")
    ] = False,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Send documents as an agreement wants them, and verify each receipt.

    Exit 0: each is receipted, or taken where no receipt is asked for, 1: not so, 2: nothing was sent,
    3: taken, and the receipt comes later.
    """
    from ..home import home
    from .as2_send import Wish
    from .as2_send import send as send_all

    wish = Wish(files, attach, content_type, message_id, subject, dry_run)
    code = send_all(home(directory), wish, to=to, as_partner=as_partner, url=url, out=out, as_json=as_json)
    raise typer.Exit(code)


@as2.command("verify-receipt")
def verify_receipt(
    file: Annotated[
        pathlib.Path,
        typer.Argument(
            help="A stored response with its headers (MDN or 202), or the JSON receipt alone; "
            "- is standard input."
        ),
    ],
    certificate: Annotated[
        list[pathlib.Path],
        typer.Option(
            "--certificate", help="The signer's certificate of that time, PEM; also that of a --key."
        ),
    ],
    signature: Annotated[
        pathlib.Path | None,
        typer.Option("--signature", help="Of a JSON receipt; else FILE with .p7s instead."),
    ] = None,
    document: Annotated[
        pathlib.Path | None,
        typer.Option("--document", help="What was sent; for an MDN, the MIME part that its MIC covers."),
    ] = None,
    message: Annotated[
        pathlib.Path | None,
        typer.Option("--message", help="For an MDN: the stored request; its MIC is computed again."),
    ] = None,
    key: Annotated[
        list[pathlib.Path], typer.Option("--key", help="A private key, PEM, that opens --message.")
    ] = [],  # noqa: B006  typer reads it
    mic: Annotated[str, typer.Option(help="The MIC an MDN must repeat, as the sender kept it.")] = "",
    at: Annotated[
        str, typer.Option(help="When an MDN was signed, if neither its signature nor its Date says so.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Verify a receipt, years later too: who signed it, when, and that it speaks of this document.

    Exit 0: it does, 1: it does not, or it says that the message was refused, 2: it cannot be read.
    """
    from .receipt import Asked
    from .receipt import verify_receipt as verify

    asked = Asked(certificate, signature, document, message, key, mic, at)
    raise typer.Exit(verify(file, asked, as_json=as_json))
