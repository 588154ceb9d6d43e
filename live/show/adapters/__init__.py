"""Shows in the world: tables, the directory of publishers, HTTP."""
