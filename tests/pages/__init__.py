"""The pages: their words, their templates, their modules in a browser."""
