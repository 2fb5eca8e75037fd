"""The search index: which chat or message holds which short pieces of text.

A title has a number of 2^53 and above, so that one descending order gives titles first and the newest first.
"""

from alembic import op

revision = "0002"
down_revision = "0001"

SQLITE = (
    """
    CREATE TABLE search_entries (
        number INTEGER PRIMARY KEY,
        chat_id VARCHAR(36) NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
        message_id VARCHAR(36) UNIQUE REFERENCES messages (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX search_entries_chat_id ON search_entries (chat_id)",
    """
    CREATE VIRTUAL TABLE search_trigrams USING fts5
        (text, content='', columnsize=0, detail='none', tokenize="trigram case_sensitive 1")
    """,
    """
    CREATE VIRTUAL TABLE search_pairs USING fts5 (text, content='', columnsize=0, detail='none', tokenize='ascii')
    """,
)
POSTGRESQL = (
    "CREATE SEQUENCE search_message_numbers AS bigint",
    "CREATE SEQUENCE search_title_numbers AS bigint START WITH 9007199254740992",
    """
    CREATE TABLE search_entries (
        number bigint PRIMARY KEY,
        chat_id varchar(36) NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
        message_id varchar(36) UNIQUE REFERENCES messages (id) ON DELETE CASCADE,
        grams text[] NOT NULL
    )
    """,
    "CREATE INDEX search_entries_chat_id ON search_entries (chat_id)",
    "CREATE INDEX search_entries_grams ON search_entries USING gin (grams)",
)


def upgrade() -> None:
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE search_pairs")
        op.execute("DROP TABLE search_trigrams")
        op.execute("DROP TABLE search_entries")
    else:
        op.execute("DROP TABLE search_entries")
        op.execute("DROP SEQUENCE search_title_numbers")
        op.execute("DROP SEQUENCE search_message_numbers")
