"""The command line: `tidewaiter COMMAND`. Each command imports what it needs when it runs."""
