"""The sockets, the ciphers and the HTTP doors of signaling."""
