"""How a phone or a browser connects, and why it is trusted."""
