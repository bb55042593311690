"""`tidewaiter load`: the options. What it does stands in `run`, imported when it is called: the command line
loads this module every time it starts."""

import pathlib
from typing import Annotated

import typer


def load(
    rate: Annotated[float, typer.Option(help="Declarations a second.")] = 20.0,
    seconds: Annotated[float, typer.Option(help="How long they arrive.")] = 15.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same arrivals and documents.")] = 1,
    arrivals: Annotated[str, typer.Option(help="poisson or constant.")] = "poisson",
    channel: Annotated[str, typer.Option(help="as2, https or both.")] = "both",
    loop: Annotated[str, typer.Option(help="The event loop of all processes: trio or uvloop.")] = "trio",
    directory: Annotated[
        pathlib.Path | None,
        typer.Option("--dir", help="Load the gateway that runs on this configuration, not one of its own."),
    ] = None,
    locust: Annotated[
        int,
        typer.Option(help="Instead of a schedule: so many locust users, who wait for answers.", min=0),
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Load a gateway of its own, on this machine, and account for every receipt.

    Exit 1: something was lost, doubled, unanswered or failed; 2: it could not be run.
    """
    from tidewaiter.loadtest.run import Options, run_load  # noqa: PLC0415 - see above

    options = Options(
        rate=rate,
        seconds=seconds,
        seed=seed,
        arrivals=arrivals,
        channel=channel,
        loop=loop,
        directory=directory,
        locust=locust,
        as_json=as_json,
    )
    raise typer.Exit(run_load(options))
