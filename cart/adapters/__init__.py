"""Where cart touches the world: PostgreSQL, HTTP, pictures, payment providers."""
