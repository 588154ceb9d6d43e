"""Whatever bytes come, nothing breaks: generated and spoilt messages at every reader."""
