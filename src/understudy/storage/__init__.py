"""Bytes that outlive the process: inputs and finished films, by key."""
