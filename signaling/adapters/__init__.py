"""Signaling's dealings with the world: sockets, DTLS, SRTP, HTTP."""
