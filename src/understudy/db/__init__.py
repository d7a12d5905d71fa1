"""Rows: the only room that holds SQL.

`tables.py` is the schema; `keys`, `limits`, `tasks`, `polls`, `attempts`, `assets`, `deliveries` and `health` are the
repositories: one function a question, each taking a `Tx` or a `Reader` first. `connect.open_database` opens either
database behind the `base.Database` protocol.
"""
