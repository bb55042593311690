"""`python -m tidewaiter`."""

from .gateway.cli.start import main

if __name__ == "__main__":
    main()
