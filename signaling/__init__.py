"""How a phone or a browser connects, and how we come to trust it."""
