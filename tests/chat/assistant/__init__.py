"""The shop assistant judged by questions written for it."""
