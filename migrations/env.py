"""Run the migrations on the connection that the backend (or a test) hands over."""

from alembic import context

from app.models import Row

OWN_SQL = ("search_", "journal_")  # tables that are written by hand, per database


def is_described(name: str | None, kind: str, _parents: object) -> bool:
    return not (kind == "table" and name is not None and name.startswith(OWN_SQL))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Row.metadata,
    include_name=is_described,
    transaction_per_migration=False,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
