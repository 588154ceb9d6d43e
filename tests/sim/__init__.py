"""A show over a bad network, in virtual time and from a seed."""
