"""The gateway: the only place with sockets, clocks, files and processes."""
