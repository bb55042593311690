"""Options that many commands have."""

import pathlib
from typing import Annotated

import typer

Dir = Annotated[
    pathlib.Path | None,
    typer.Option(
        "--dir", help="The configuration folder; else $TIDEWAITER_HOME, else the user's data folder."
    ),
]
Utf8 = Annotated[
    bool, typer.Option("--utf8", help="Read EDIFACT in UTF-8 as such, whatever character set UNB names.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
