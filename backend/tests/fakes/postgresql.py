"""A real PostgreSQL cluster for one test run, on a socket of its own, made by initdb."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OWNER = "postgres"  # PostgreSQL refuses to run as root


def _program(name: str) -> str:
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = shutil.which(name) or (str(debian[-1]) if debian else None)
    if found is None:
        raise RuntimeError(f"{name} is missing: install PostgreSQL (Debian: apt-get install postgresql)")
    return found


class Cluster:
    """A running cluster; databases are made from a template and dropped with it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._as = OWNER if os.geteuid() == 0 else None

    def run(self, program: str, *arguments: str) -> None:
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        subprocess.run(
            [_program(program), *arguments],
            check=True,
            user=self._as,
            env=environment,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            timeout=60,
        )

    def restart(self) -> None:
        """Stop it as a power cut would and start it again; returns when it answers."""
        data = str(self._folder / "data")
        self.run("pg_ctl", "-D", data, "-w", "-m", "immediate", "restart", "-l", str(self._folder / "log"))

    def url(self, database: str) -> str:
        return f"postgresql://{OWNER}@/{database}?host={self._folder}"

    def create(self, database: str, *, template: str = "template0") -> str:
        self.run("createdb", "-h", str(self._folder), "-U", OWNER, "-E", "UTF8", "-T", template, database)
        return self.url(database)

    def drop(self, database: str) -> None:
        self.run("dropdb", "-h", str(self._folder), "-U", OWNER, "--force", database)


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Give a cluster and end it."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    made = Cluster(folder)
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, OWNER, OWNER)
        data = str(folder / "data")
        made.run("initdb", "-D", data, "-U", OWNER, "-A", "trust", "-E", "UTF8", "--no-sync")
        options = (
            f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off -c max_connections=60"
        )
        made.run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield made
        finally:
            made.run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
