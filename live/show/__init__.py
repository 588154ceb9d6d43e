"""A show's life and line-up."""
