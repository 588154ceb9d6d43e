"""What deploy/ says."""
