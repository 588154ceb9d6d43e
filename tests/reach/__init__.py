"""Who can reach a node, and how: real STUN and TURN servers, translators, browsers, IPv6, TCP."""
