"""The HTTP door: routes, wire schemas, and the one mapping from errors to answers. HTTP words live here only."""
