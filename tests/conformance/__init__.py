"""The conformance suite for WHIP and WHEP: black-box, against any server; see README.md."""
