"""The guarded HTTP client for addresses that strangers name.

No other room connects to an address that came in a request: neither a callback nor a reference picture.
"""
