"""How much: submits and status reads a minute, tasks at once."""
