"""The verbs, shared by every door: create, get, list, cancel, delete."""
