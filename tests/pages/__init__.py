"""The pages as templates and text."""
