"""What the relay decides: sequence numbers, feedback, history, key frames. Pure."""
