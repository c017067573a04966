"""Records and the log of their changes."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# As in corpus.schema: bytes order ids, on every server. (SQLite has no other order.)
KIND = sa.String(20).with_variant(sa.String(20, collation="C"), "postgresql")
KEY = sa.String(250).with_variant(sa.String(250, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "record",
        sa.Column("kind", KIND, primary_key=True),
        sa.Column("id", KEY, primary_key=True),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
    )
    op.create_table(
        "change",
        sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", KIND, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.Column("action", sa.String(10), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("before", sa.JSON),
        sa.Column("source", sa.Text),
        sa.Column("digest", sa.String(64), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("change")
    op.drop_table("record")
