"""The schema: built by the migrations, on both databases, the same as the models say; opened with care."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect

from app.config import REPOSITORY
from app.database import Database
from app.errors import StartError
from app.models import Row
from app.repositories.opening import opened
from app.repositories.schema import alembic_config, revisions

pytestmark = pytest.mark.sqlite


async def test_the_migrations_make_what_the_models_say(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        def is_described(name: str | None, kind: str, _parents: object) -> bool:
            return not (kind == "table" and name is not None and name.startswith(("search_", "journal_")))

        context = MigrationContext.configure(
            connection, opts={"include_name": is_described, "compare_type": True}
        )
        return list(compare_metadata(context, Row.metadata))

    async with database.reader.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_the_migrations_can_be_taken_back(database: Database) -> None:
    def down_and_up(connection: Connection) -> list[str]:
        command.downgrade(alembic_config(connection), "base")
        left = [name for name in inspect(connection).get_table_names() if name != "alembic_version"]
        command.upgrade(alembic_config(connection), "head")
        return left

    async with database.writer.connect() as connection:
        assert await connection.run_sync(down_and_up) == []


def test_the_head_is_read_without_running_anything() -> None:
    known, head = revisions()

    assert head == max(known)
    assert len(known) == len(list((REPOSITORY / "migrations/versions").glob("*.py")))


def test_a_start_without_migrations_does_not_load_alembic(sqlite_url: str) -> None:
    program = (
        "import asyncio, sys\n"
        "from app.repositories.opening import opened\n"
        "async def start():\n"
        f"    async with opened({sqlite_url!r}): pass\n"
        "asyncio.run(start())\n"
        "print('alembic' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=REPOSITORY / "backend",
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "False"


async def test_a_newer_schema_is_refused_and_left_alone(sqlite_url: str) -> None:
    path = Database(sqlite_url).path
    assert path is not None
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    before = path.read_bytes()

    with pytest.raises(StartError, match="newer version"):
        async with opened(sqlite_url):
            pass

    assert path.read_bytes() == before


async def test_a_copy_is_taken_before_migrating_data(sqlite_url: str) -> None:
    path = Database(sqlite_url).path
    assert path is not None
    first = min(revisions()[0])
    async with opened(sqlite_url) as database, database.writer.connect() as connection:
        await connection.run_sync(lambda sync: command.downgrade(alembic_config(sync), first))
        await connection.exec_driver_sql(
            "INSERT INTO chats (id, user_id, title, params, pinned, archived, tags, activity, created_at, updated_at)"
            " VALUES ('kept', 'local', 'T', '{}', 0, 0, '[]', 1, '2026-01-01', '2026-01-01')"
        )
        await connection.commit()

    async with opened(sqlite_url) as database, database.reader.connect() as connection:
        found = (await connection.exec_driver_sql("SELECT title FROM chats")).scalars().all()

    copy = path.with_name(f"{path.name}.before-{first}")
    assert found == ["T"]
    assert sqlite3.connect(copy).execute("SELECT title FROM chats").fetchall() == [("T",)]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


async def test_a_failed_migration_leaves_the_old_schema(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "migrations"
    shutil.copytree(REPOSITORY / "migrations", broken, ignore=shutil.ignore_patterns("__pycache__"))
    (broken / "versions/9999_broken.py").write_text(
        'from alembic import op\n\nrevision = "9999"\n'
        f'down_revision = "{revisions()[1]}"\n\n\n'
        "def upgrade() -> None:\n    op.execute('CREATE TABLE half (x)')\n    raise RuntimeError('broken')\n"
    )
    monkeypatch.setattr("app.repositories.schema.MIGRATIONS", broken)
    monkeypatch.setattr(revisions, "__defaults__", (broken / "versions",))

    with pytest.raises(RuntimeError, match="broken"):
        async with opened(sqlite_url):
            pass

    monkeypatch.undo()
    async with opened(sqlite_url) as database, database.reader.connect() as connection:
        tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    assert "half" not in tables


async def test_a_second_backend_on_the_same_file_is_refused(sqlite_url: str) -> None:
    async with opened(sqlite_url):
        with pytest.raises(StartError, match="Another backend"):
            async with opened(sqlite_url):
                pass
    async with opened(sqlite_url):
        pass


async def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "data"
    before = os.umask(0)
    try:
        async with opened(f"sqlite:///{folder}/chat.db") as database:
            async with database.writer.begin() as connection:
                await connection.exec_driver_sql("CREATE TABLE t (x)")
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    finally:
        os.umask(before)

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {"chat.db", "chat.db-wal", "chat.db.lock"} <= set(modes)
    assert set(modes.values()) == {0o600}


@pytest.mark.parametrize("damage", ["garbage", "zeroed header", "flipped page"])
async def test_a_damaged_file_is_refused_and_left_alone(sqlite_url: str, damage: str) -> None:
    path = Database(sqlite_url).path
    assert path is not None
    whole = path.read_bytes()
    bad = {
        "garbage": b"not a database, " * 512,
        "zeroed header": bytes(100) + whole[100:],
        "flipped page": whole[:4096] + bytes(byte ^ 0xFF for byte in whole[4096:12288]) + whole[12288:],
    }[damage]
    path.write_bytes(bad)

    with pytest.raises(StartError, match="left as it is"):
        async with opened(sqlite_url):
            pass

    assert path.read_bytes() == bad


async def test_a_large_file_is_checked_after_an_unclean_end_only(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.repositories.opening.CHECKED_BYTES", 0)
    path = Database(sqlite_url).path
    assert path is not None
    whole = path.read_bytes()
    # a page that opening does not read: only the check finds it
    path.write_bytes(whole[:-4096] + bytes(byte ^ 0xFF for byte in whole[-4096:]))

    async with opened(sqlite_url):
        pass
    path.with_name(f"{path.name}-wal").touch()
    with pytest.raises(StartError, match="left as it is"):
        async with opened(sqlite_url):
            pass


@pytest.mark.parametrize(
    "url", ["mysql://x/y", "sqlite://", "sqlite:///:memory:", "nonsense", "postgresql://nobody@127.0.0.1:9/x"]
)
async def test_a_database_that_cannot_be_used_is_one_clear_sentence(url: str) -> None:
    with pytest.raises(StartError) as refused:
        async with opened(url):
            pass

    assert "DATABASE_URL" in str(refused.value)
    assert "\n" not in str(refused.value)


async def test_a_password_does_not_get_into_the_sentence() -> None:
    with pytest.raises(StartError) as refused:
        async with opened("postgresql://nobody:hunter2@127.0.0.1:9/x"):
            pass

    assert "hunter2" not in str(refused.value)
