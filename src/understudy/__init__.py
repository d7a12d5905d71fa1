"""Understudy: a self-hosted server for the `generateTask` / `statusTask` video API."""

__version__ = "0.1.0"
