"""Kkot and peers that share no code with it or with one another, over its real endpoints."""
