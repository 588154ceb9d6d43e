"""Accounts in the world: tables, argon2, JWT, the login limiter and HTTP."""
