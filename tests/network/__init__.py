"""Kkot over bad networks: a real browser, a real server, and a lossy way between them."""
