"""The shop assistant: answers what the shop knows, and stays silent where it is not sure."""
