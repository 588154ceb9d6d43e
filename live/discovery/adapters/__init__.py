"""Discovery's hands: PostgreSQL and HTTP."""
