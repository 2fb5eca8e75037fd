"""What going on with an answer needs: its tokens after its run has ended, whose a live run is, PostgreSQL's journal."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

ID = sa.String(36)


def upgrade() -> None:
    op.add_column("runs", sa.Column("owner", sa.BigInteger))
    op.create_table(
        "run_tokens",
        sa.Column("run_id", ID, nullable=False),
        sa.Column("prompt_ids", sa.LargeBinary, nullable=False),
        sa.Column("generated_ids", sa.LargeBinary, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("text_digest", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_run_tokens"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name="fk_run_tokens_run_id_runs", ondelete="CASCADE"
        ),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            """
            CREATE TABLE journal_batches (
                id bigserial PRIMARY KEY,
                owner bigint NOT NULL,
                file integer NOT NULL,
                records bytea NOT NULL
            )
            """
        )
        op.execute("ALTER TABLE journal_batches ALTER COLUMN records SET STORAGE EXTERNAL")
        op.execute("CREATE INDEX journal_batches_owner_file ON journal_batches (owner, file)")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TABLE journal_batches")
    op.drop_table("run_tokens")
    op.drop_column("runs", "owner")
