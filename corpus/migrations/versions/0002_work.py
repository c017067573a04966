"""Who changed what and when, removals, and answers kept for a repeated request."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("change", sa.Column("actor", sa.String(60)))
    op.add_column("change", sa.Column("at", sa.String(32)))
    op.create_index("ix_change_kind_id", "change", ["kind", "id"])
    op.create_index("ix_change_kind_revision", "change", ["kind", "revision"])
    op.create_table(
        "idempotency",
        sa.Column("key", sa.String(200), primary_key=True),
        sa.Column("actor", sa.String(60), primary_key=True),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("idempotency")
    op.drop_index("ix_change_kind_revision", "change")
    op.drop_index("ix_change_kind_id", "change")
    op.drop_column("change", "at")
    op.drop_column("change", "actor")
