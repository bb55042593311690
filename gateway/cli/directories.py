"""The commands `directory add`, `directory list` and `directory show` with their options and help."""

import pathlib
from typing import Annotated

import typer

from ..home import home
from .options import Dir, Json

directories = typer.Typer(help="Message directories: what is checked against.", no_args_is_help=True)


@directories.command()
def add(
    archive: Annotated[
        pathlib.Path, typer.Argument(help="A UNECE directory archive, as published: d96b.zip.")
    ],
    only: Annotated[
        str, typer.Option(help="Of these messages only, as CUSDEC,CUSRES; else of all in the archive.")
    ] = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Compile a release of the UN/EDIFACT directories; messages of it are then checked against it."""
    from .directory import add

    raise typer.Exit(add(home(directory), archive, only, as_json=as_json))


@directories.command("list")
def list_(directory: Dir = None, as_json: Json = False) -> None:
    """The releases held, what messages each has, and where it is from."""
    from .directory import list_tables

    raise typer.Exit(list_tables(home(directory), as_json=as_json))


@directories.command()
def show(
    name: Annotated[
        str,
        typer.Argument(
            help="CUSDEC:D:96B, a segment (FTX:D:96B), a composite (C107:D:96B) or an element (4451)."
        ),
    ],
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Print a message's segment groups, a segment's elements, or an element's format and codes."""
    from .directory import show

    raise typer.Exit(show(home(directory), name, as_json=as_json))
