"""Every command with its options and help. What a command does stands in the other modules of this folder."""

import functools
import pathlib
import sys
from importlib.metadata import entry_points
from typing import Annotated

import typer

from ... import __version__
from ..home import home
from .as2 import as2, verify_receipt
from .directories import directories
from .options import Dir, Json, Utf8

app = typer.Typer(
    name="tidewaiter",
    help="A customs message gateway: one declaration in, every competent agency asked, one decision back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
partner = typer.Typer(help="Traders' software: who may lodge.", no_args_is_help=True)
agency = typer.Typer(help="Agencies: who is asked.", no_args_is_help=True)
app.add_typer(partner, name="partner", rich_help_panel="The gateway")
app.add_typer(agency, name="agency", rich_help_panel="The gateway")
app.add_typer(directories, name="directory", rich_help_panel="Files (no configuration needed)")
app.add_typer(as2, name="as2", rich_help_panel="The gateway")

GATEWAY, FILES, LOOK, TRY = (
    "The gateway",
    "Files (no configuration needed)",
    "Looking at a gateway",
    "Trying it",
)


@functools.cache
def complete() -> typer.Typer:
    """The command line with the commands of other rooms, which are known by their entry points only."""
    for entry in entry_points(group="tidewaiter.commands"):
        app.command(name=entry.name, rich_help_panel=TRY)(entry.load())
    return app


def run() -> None:
    """Run the command line; a broken configuration or ledger is one line and exit code 2."""
    complete()()


@app.callback(invoke_without_command=True)
def top(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """A customs message gateway: one declaration in, every competent agency asked, one decision back."""
    if version:
        typer.echo(__version__)
        raise typer.Exit


@app.command(rich_help_panel=GATEWAY)
def serve(directory: Dir = None) -> None:
    """Run the gateway until it is told to stop (SIGTERM or Ctrl-C), which lets what is under way end."""
    from .operate import serve

    raise typer.Exit(serve(home(directory)))


@app.command(rich_help_panel=GATEWAY)
def init(folder: Annotated[pathlib.Path, typer.Argument(help="The folder to make.")]) -> None:
    """Make a starter configuration: keys, a trader, three agencies, routes, and sample documents to lodge."""
    from .operate import init

    raise typer.Exit(init(folder))


@app.command("check-config", rich_help_panel=GATEWAY)
def check_config(directory: Dir = None, as_json: Json = False) -> None:
    """Check the whole configuration as `serve` would, and say what it holds."""
    from .operate import check_config

    raise typer.Exit(check_config(home(directory), as_json=as_json))


Certificates = Annotated[
    list[pathlib.Path], typer.Option("--cert", help="A certificate, PEM; current first, then next.")
]


@partner.command("add")
def partner_add(
    name: Annotated[str, typer.Argument(help="A short name: a-z, 0-9 and -.")],
    cert: Certificates,
    as2_name: Annotated[str, typer.Option(help="Its AS2 name; without one it can use HTTPS only.")] = "",
    as2_url: Annotated[
        str, typer.Option(help="Where it takes AS2 messages; without one it reads its log.")
    ] = "",
    edifact_id: Annotated[str, typer.Option(help="Its interchange identification (UNB S002/0004).")] = "",
    directory: Dir = None,
) -> None:
    """Add a trader's software and print the fingerprints of its certificates, to compare by telephone."""
    from .operate import add_partner

    code = add_partner(home(directory), name, cert, as2_name=as2_name, as2_url=as2_url, edifact_id=edifact_id)
    raise typer.Exit(code)


@agency.command("add")
def agency_add(
    name: Annotated[str, typer.Argument(help="A short name: a-z, 0-9 and -.")],
    cert: Certificates,
    url: Annotated[str, typer.Option(help="Where deliveries are posted.")],
    channel: Annotated[str, typer.Option(help="https or as2.")] = "https",
    syntax: Annotated[str, typer.Option(help="xml or edifact.")] = "xml",
    as2_name: Annotated[str, typer.Option(help="Its AS2 name, for channel as2.")] = "",
    edifact_id: Annotated[str, typer.Option(help="Its interchange identification.")] = "",
    test: Annotated[bool, typer.Option("--test", help="A test system: it gets test documents too.")] = False,
    directory: Dir = None,
) -> None:
    """Add an agency and print the fingerprints of its certificates; routes.toml says what it is asked."""
    from .operate import add_agency

    code = add_agency(
        home(directory),
        name,
        cert,
        url=url,
        channel=channel,
        syntax=syntax,
        as2_name=as2_name,
        edifact_id=edifact_id,
        live=not test,
    )
    raise typer.Exit(code)


Names = Annotated[list[str], typer.Argument(help="Files; - is standard input.", metavar="FILE...")]


@app.command(rich_help_panel=FILES)
def validate(files: Names, utf8: Utf8 = False, as_json: Json = False) -> None:
    """Say everything that is wrong with EDIFACT or XML documents. Exit 1: not valid, 2: cannot be read."""
    from .files import validate

    raise typer.Exit(validate(files, as_json=as_json, utf8=utf8))


@app.command(rich_help_panel=FILES)
def read(
    file: Annotated[str, typer.Argument(help="A file; - is standard input.")],
    segments: Annotated[
        bool,
        typer.Option("--segments", help="Of EDIFACT: every segment under its groups, with its findings."),
    ] = False,
    out: Annotated[str | None, typer.Option("--out", help="Write to this file instead.")] = None,
    utf8: Utf8 = False,
    as_json: Json = False,
) -> None:
    """Print a document of either syntax as canonical JSON, findings on standard error; or EDIFACT as a tree
    of its segments, with --json one object a line."""
    if segments:
        from .segments import list_segments

        raise typer.Exit(list_segments(file, out=out, as_json=as_json, utf8=utf8))
    from .files import read

    raise typer.Exit(read(file, out=out))


app.command("verify-receipt", rich_help_panel=FILES)(verify_receipt)


Reference = Annotated[str, typer.Argument(help="A lodgement's or delivery's id, an LRN or an MRN.")]


@app.command(rich_help_panel=LOOK)
def status(reference: Reference, directory: Dir = None, as_json: Json = False) -> None:
    """How a declaration stands: each agency's leg, the decisions, the findings."""
    from .look import status

    raise typer.Exit(status(home(directory), reference, as_json=as_json))


@app.command("list", rich_help_panel=LOOK)
def list_(
    limit: Annotated[int, typer.Option(help="How many.", min=1, max=10_000)] = 20,
    partner: Annotated[str | None, typer.Option(help="Of this partner only.")] = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """The newest lodgements."""
    from .look import list_lodgements

    raise typer.Exit(list_lodgements(home(directory), limit, partner, as_json=as_json))


@app.command(rich_help_panel=LOOK)
def events(reference: Reference, directory: Dir = None, as_json: Json = False) -> None:
    """The whole history of a declaration, in order."""
    from .look import events

    raise typer.Exit(events(home(directory), reference, as_json=as_json))


@app.command(rich_help_panel=LOOK)
def sla(
    since: Annotated[str, typer.Option(help="First day, YYYY-MM-DD; else 30 days ago.")] = "",
    until: Annotated[str, typer.Option(help="Last day, YYYY-MM-DD; else today.")] = "",
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """E-document processing time by declaration type against its service level (indicator 2)."""
    from .look import sla

    raise typer.Exit(sla(home(directory), since, until, as_json=as_json))


@app.command(rich_help_panel=GATEWAY)
def dead(directory: Dir = None, as_json: Json = False) -> None:
    """List the deliveries, notifications and MDNs of ours that wait for a person, and why."""
    from .letters import dead

    raise typer.Exit(dead(home(directory), as_json=as_json))


Letter = Annotated[
    str,
    typer.Argument(help="The id of a delivery (D...), notification (N...) or MDN of ours (A...)."),
]


@app.command(rich_help_panel=GATEWAY)
def requeue(
    reference: Letter,
    why: Annotated[str, typer.Option("--why", help="A reason, for the history.")] = "",
    directory: Dir = None,
) -> None:
    """Try a delivery, notification or MDN again from the beginning, also beside a running gateway."""
    from .letters import requeue

    raise typer.Exit(requeue(home(directory), reference, why))


@app.command(rich_help_panel=GATEWAY)
def close(
    reference: Letter,
    why: Annotated[str, typer.Option("--why", help="The reason, for the history.")],
    directory: Dir = None,
) -> None:
    """Give a delivery, notification or MDN up for good, also beside a running gateway."""
    from .letters import close

    raise typer.Exit(close(home(directory), reference, why))


@app.command(rich_help_panel=TRY)
def submit(
    files: Annotated[list[pathlib.Path], typer.Argument(help="Documents to lodge.", metavar="FILE...")],
    channel: Annotated[str, typer.Option(help="as2 or https.")] = "https",
    as_partner: Annotated[
        str, typer.Option("--as", help="The partner to be; its keys lie in keys/ of --dir.")
    ] = "trader",
    out: Annotated[pathlib.Path | None, typer.Option("--out", help="Keep receipts in this folder.")] = None,
    directory: Dir = None,
    as_json: Json = False,
) -> None:
    """Lodge documents as a trader would, and verify each receipt."""
    from .submit import submit

    raise typer.Exit(submit(home(directory), files, channel, as_partner, out, as_json=as_json))


@app.command(rich_help_panel=TRY)
def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave everything running and say how to use it.")
    ] = False,
    out: Annotated[
        pathlib.Path | None, typer.Option("--out", help="Keep every message as it went over the wire.")
    ] = None,
    loop: Annotated[str, typer.Option(help="trio or uvloop.")] = "trio",
    as_json: Json = False,
) -> None:
    """Run a gateway, three agencies and a trader here, and lodge seven declarations."""
    from ..sandbox.demo import run_demo

    raise typer.Exit(run_demo(keep=keep, out=out, loop=loop, json_output=as_json))


@app.command("sandbox-agency", hidden=True)
def sandbox_agency(
    name: str, directory: Annotated[pathlib.Path, typer.Option("--dir")], loop: str = "trio"
) -> None:
    """Run one of the demonstration's agencies."""
    from ..sandbox.demo import run_agency

    run_agency(name, directory, loop)
    sys.exit(0)
