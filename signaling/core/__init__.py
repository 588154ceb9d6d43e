"""What signaling decides: pure functions and state machines over bytes and text."""
