"""What a chat says of itself when it lives in memory alone, and presets."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ID = sa.String(36)
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("chats", sa.Column("temporary", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "presets",
        sa.Column("id", ID, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("options", sa.JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_presets"),
    )
    op.create_index("ix_presets_user_id", "presets", ["user_id"])


def downgrade() -> None:
    op.drop_table("presets")
    op.drop_column("chats", "temporary")
