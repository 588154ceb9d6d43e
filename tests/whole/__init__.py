"""The whole server as its operator runs it: a process of its own, spoken to through sockets."""
