"""A dump of a PostgreSQL database by its own programs, at the moment of a snapshot; read back into temporary tables, or restored."""

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import conninfo, sql

from portal import db
from portal.backup import Progress, Refused, snapshot
from portal.backup.snapshot import Snapshot

PLACES = Path("/usr/lib/postgresql")
COPY = re.compile(rb'COPY public\."?(\w+)"? \(([^)]*)\) FROM stdin;\n')
LOOKS, PAUSE_S = 10, 0.3
END = b"\\.\n"
DROP = """DO $$ DECLARE one record; BEGIN
    FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('DROP TABLE public.%I CASCADE', one.tablename);
    END LOOP;
    FOR one IN SELECT oid::regprocedure AS name FROM pg_proc WHERE pronamespace = 'public'::regnamespace
               AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e') LOOP
        EXECUTE format('DROP FUNCTION %s CASCADE', one.name);
    END LOOP;
END $$;"""
PAUSE = """UPDATE public.lane SET paused_at = now() AT TIME ZONE 'UTC', paused_by_id = NULL, reason = '{reason}'
           WHERE name LIKE 'exports:%' AND paused_at IS NULL;
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'public.lane'::regclass AND attname = 'restored_at' AND NOT attisdropped) THEN
        UPDATE public.lane SET restored_at = now() AT TIME ZONE 'UTC' WHERE name LIKE 'exports:%';
    END IF;
END $$;"""
OTHERS = """SELECT usename, pid FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"


def dump(url: str, out: Path) -> Snapshot:
    """Raises Refused where pg_dump is missing or fails."""
    with psycopg.connect(url) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        (name,) = connection.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
        with at(url) as server:
            run("pg_dump", server, "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={name}", f"--file={out}")
        tables = [table for (table,) in connection.execute(TABLES)]
        return snapshot.take(lambda statement: connection.execute(statement.encode()).fetchall(), tables)


@contextmanager
def loaded(dumped: Path, counts: dict[str, int], tell: Progress) -> Iterator[dict[str, int]]:
    """All rows of the dump in temporary tables of the open connection, which stand before the real ones; how many each has.

    Whatever reads the models in the block reads the backup. PostgreSQL itself has read every value.
    """
    connection, found, total = db.database.connection(), dict.fromkeys(counts, 0), sum(counts.values())
    connection.execute("SET statement_timeout = 0")
    try:
        for table in counts:
            connection.execute(sql.SQL("CREATE TEMP TABLE {0} (LIKE public.{0})").format(sql.Identifier(table)))
        with _script(dumped) as lines:
            for line in lines:
                if begun := COPY.fullmatch(line):
                    table = begun[1].decode()
                    found[table] = _fill(connection, table, begun[2].decode(), lines)
                    tell("Compared", sum(found.values()), total)
        yield found
    finally:
        connection.execute("DISCARD TEMP")
        connection.execute("RESET statement_timeout")


def _fill(connection: Any, table: str, columns: str, lines: Iterator[bytes]) -> int:
    count = 0
    with connection.cursor() as cursor, cursor.copy(f'COPY pg_temp."{table}" ({columns}) FROM STDIN') as into:
        for line in lines:
            if line == END:
                break
            into.write(line)
            count += 1
    return count


@contextmanager
def _script(dumped: Path) -> Iterator[Iterator[bytes]]:
    """The rows of a dump as the statements that put them in."""
    command = [program("pg_restore"), "--data-only", "--file=-", str(dumped)]
    with tempfile.TemporaryFile() as said, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said) as running:
        assert running.stdout  # noqa: S101 -- for the type checker
        yield iter(running.stdout)
        if running.wait():
            said.seek(0)
            raise Refused(f"The dump cannot be read back: {_last(said.read())}")


def restore(url: str, dumped: Path, reason: str) -> None:
    """In the place of all that is in the database, in one transaction, in which the lanes of exports are paused too. Raises Refused."""
    with at(url) as server, tempfile.TemporaryDirectory(dir=dumped.parent) as name:
        files = {"drop.sql": DROP, "restore.sql": "", "pause.sql": PAUSE.format(reason=reason.replace("'", "''"))}
        for file, text in files.items():
            (Path(name) / file).write_text(text)
        script = [program("pg_restore"), "--no-owner", "--no-privileges", f"--file={Path(name) / 'restore.sql'}", str(dumped)]
        _run(script)
        options = ("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--output=/dev/null")
        run("psql", server, *options, *(f"--file={Path(name) / file}" for file in files))


def others() -> list[str]:
    """Who else is connected to the database and stays so: the server takes a moment to let go of a connection that was closed."""
    found: list[tuple[str, int]] = []
    with db.connected():
        for _ in range(LOOKS):
            found = db.database.execute_sql(OTHERS).fetchall()
            if not found:
                break
            time.sleep(PAUSE_S)
    return [f"a program connected as {user} (server process {pid})" for user, pid in found]


def run(name: str, server: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs on the server. Raises Refused with its own last line."""
    _run([program(name), f"--dbname={server}", *arguments])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise Refused(f"{Path(command[0]).name} failed: {_last(done.stderr)}")


@contextmanager
def at(url: str) -> Iterator[str]:
    """The server for one of its programs. The password goes by a file of our own: arguments can be read by everyone on the machine."""
    parts = conninfo.conninfo_to_dict(url)
    password = str(parts.pop("password", ""))
    with tempfile.NamedTemporaryFile("w") as file:  # mode 600
        if password:
            escaped = password.replace("\\", "\\\\").replace(":", "\\:")
            file.write(f"*:*:*:*:{escaped}\n")
            file.flush()
            parts["passfile"] = file.name
        yield conninfo.make_conninfo("", **parts)


def program(name: str) -> str:
    """On PATH, or where Debian has them, the newest first. Raises Refused."""
    found = shutil.which(name) or next((str(one) for one in sorted(PLACES.glob(f"*/bin/{name}"), reverse=True)), None)
    if found is None:
        raise Refused(f"{name} is not installed on this machine. Install PostgreSQL's client programs, of the server's version or newer.")
    return found


def _last(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
