"""Alembic's folder, kept as a package so that an installed wheel carries it."""
