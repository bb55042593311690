"""The commands `as2 inspect`, `as2 send` and `as2 verify-receipt` with their options and help."""

import pathlib
from typing import Annotated

import typer

from .options import Json

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
    """Say what is inside a message: every layer, who may open it, who signed it, its MIC. Exit 1: something
    is not as it should be, 2: it cannot be read."""
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
