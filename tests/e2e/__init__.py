"""Real processes, over real sockets, killed in the middle."""
