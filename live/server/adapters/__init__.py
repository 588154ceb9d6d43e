"""The server's own dealings with the world: child processes, sockets, HTTP."""
