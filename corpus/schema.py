"""The tables of a store, the same on SQLite and PostgreSQL; :mod:`corpus.migrations` makes them."""

from __future__ import annotations

import sqlalchemy as sa

# Ids are ordered by their bytes everywhere; a PostgreSQL server's own order depends on its locale.
KIND = sa.String(20).with_variant(sa.String(20, collation="C"), "postgresql")
KEY = sa.String(250).with_variant(sa.String(250, collation="C"), "postgresql")

metadata = sa.MetaData()
record_table = sa.Table(
    "record",
    metadata,
    sa.Column("kind", KIND, primary_key=True),
    sa.Column("id", KEY, primary_key=True),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
)
change_table = sa.Table(
    "change",
    metadata,
    sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", KIND, nullable=False),
    sa.Column("id", KEY, nullable=False),
    sa.Column("action", sa.String(10), nullable=False),  # added | changed | removed
    sa.Column("hash", sa.String(64), nullable=False),  # of the new content; of the last if removed
    sa.Column("before", sa.JSON),  # the body that was replaced: nothing is lost silently
    sa.Column("source", sa.Text),
    sa.Column("digest", sa.String(64), nullable=False),
    # Who and when stand outside the chain of digests: equal loads give equal digests.
    sa.Column("actor", sa.String(60)),  # login; null: the command line
    sa.Column("at", sa.String(32)),  # ISO 8601, UTC; null for loads
    sa.Index("ix_change_kind_id", "kind", "id"),
    sa.Index("ix_change_kind_revision", "kind", "revision"),
)
idempotency_table = sa.Table(
    "idempotency",
    metadata,
    sa.Column("key", sa.String(200), primary_key=True),
    sa.Column("actor", sa.String(60), primary_key=True),
    sa.Column("request_hash", sa.String(64), nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("at", sa.String(32), nullable=False),
)
