"""The relay: one publisher's packets, never decoded, to every viewer of the show."""
