"""`python -m tidewaiter.loadtest`: the same as `tidewaiter load`."""

import typer

from tidewaiter.loadtest.command import load

if __name__ == "__main__":
    typer.run(load)
