"""Real processes for tests: each on free ports, in a folder of its own, ended by its process id."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import psycopg
import pytest
from redis import Redis
from redis.exceptions import RedisError

import config
from portal import secret_path
from portal.standalone import valkey as embedded
from tests.ports import free_port
from tests.programs import postgres as postgres_program

ROOT = Path(config.__file__).parent
PATIENCE_S = 60.0
Running = TypeVar("Running", bound="Process")


def environment(**settings: object) -> dict[str, str]:
    """The environment of the test run without any setting of the portal or of make, and with `settings`."""
    ours = {
        *config.Settings.model_fields,
        *(f"{name}_FILE" for name in config.SECRETS),
        "MAKEFLAGS",
        "MAKELEVEL",
        "MFLAGS",
        "MAKEOVERRIDES",
    }
    return {name: value for name, value in os.environ.items() if name not in ours} | {name: str(value) for name, value in settings.items()}


def eventually(what: Callable[[], Any], patience: float = PATIENCE_S) -> Any:
    """The first true answer of `what`; fails the test when there is none in time."""
    end = time.monotonic() + patience
    while not (answer := what()):
        assert time.monotonic() < end, f"{what} was not true within {patience:g} s"
        time.sleep(0.05)
    return answer


def get_json(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and was not waited for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Process:
    """A program that a test starts, hangs, kills and starts again."""

    def __init__(self, command: list[str], log: Path, env: dict[str, str] | None = None) -> None:
        self.command, self.log, self.env, self.cwd = command, log, env or environment(), ROOT
        self.popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(self.command, cwd=self.cwd, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        eventually(lambda: self.ready() or self.ended())
        assert not self.ended(), f"{self.command} ended at once:\n{self.output()}"

    def ready(self) -> bool:
        return True

    def ended(self) -> bool:
        return self.popen is not None and self.popen.poll() is not None

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    @property
    def pid(self) -> int:
        assert self.popen
        return self.popen.pid

    def send(self, number: int) -> None:
        assert self.popen
        self.popen.send_signal(number)

    def hang(self) -> None:
        """Keeps its ports open and answers nothing."""
        self.send(signal.SIGSTOP)

    def cont(self) -> None:
        self.send(signal.SIGCONT)

    def stop(self, number: int = signal.SIGTERM) -> int | None:
        """End it, also when it hangs; answers its exit status."""
        if self.popen is None:
            return None
        if self.ended():
            return self.popen.returncode
        self.send(number)
        self.cont()
        try:
            return self.popen.wait(30)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            return self.popen.wait()

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()


class Valkey(Process):
    """A Redis-protocol server on a unix socket. `url` goes into REDIS_URL."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "valkey.sock"
        self.url = embedded.url(self.socket)
        super().__init__(embedded.command(self.socket, folder), folder / "valkey.log")

    def ready(self) -> bool:
        try:
            return bool(Redis.from_url(self.url).ping())
        except RedisError:
            return False


class Catcher(Process):
    """The mail catcher. `smtp_port` takes mail, `url` shows it."""

    def __init__(self, folder: Path) -> None:
        self.smtp_port, http_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{http_port}/{secret_path.word(folder)}"
        ports = ["--smtp-port", str(self.smtp_port), "--http-port", str(http_port)]
        super().__init__([sys.executable, "-m", "portal.cli", "catcher", *ports, "--data", str(folder)], folder / "catcher.log")
        self.earlier = 0  # mails of the tests before

    def ready(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.smtp_port), 1):
            return isinstance(self.mails(), list)
        return False

    def mails(self) -> list[dict[str, Any]]:
        return list(get_json(f"{self.url}/mails.json"))[self.earlier :]

    def forget(self) -> None:
        """Hide the mails caught until now."""
        self.earlier += len(self.mails())


class PortalUp(Process):
    """`portal up --json` with data of its own. `report` is what it printed."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.data, self.port, self.answer = folder / "data", free_port(), folder / "answer.json"
        env = environment(**{"PORTAL_PORT": self.port, "PORTAL_DATA": self.data} | settings)
        super().__init__([sys.executable, "-m", "portal.cli", "up", "--json"], folder / "up.log", env)

    def start(self) -> None:
        with self.log.open("ab") as log, self.answer.open("wb") as answer:
            self.popen = subprocess.Popen(self.command, cwd=self.cwd, env=self.env, stdin=subprocess.DEVNULL, stdout=answer, stderr=log)
        eventually(lambda: b"\n" in self.answer.read_bytes() or self.ended(), 90)
        assert not self.ended(), f"portal up ended at once:\n{self.output()}"

    @property
    def report(self) -> dict[str, Any]:
        return dict(json.loads(self.answer.read_text()))

    def account(self, what: str) -> dict[str, str]:
        """The sample account that is `what`: approver, read only, sender, admin or support."""
        return next(account for account in self.report["accounts"] if account["what"] == what)

    def pids(self) -> dict[str, int]:
        return {process["name"]: process["pid"] for process in self.report["processes"]}


# Nothing a test writes has to survive the server.
IN_MEMORY = [part for one in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum") for part in ("-c", f"{one}=off")]


class Postgres(Process):
    """A PostgreSQL server on a unix socket; as root it runs as the user postgres, because it refuses to be root."""

    def __init__(self, folder: Path) -> None:
        self.data, self.folder, self.made = folder / "data", folder, 0
        self.prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self.prefix:
            shutil.chown(folder, "postgres")
        server = [postgres_program("postgres"), "-D", str(self.data), "-k", str(folder), "-c", "listen_addresses=", *IN_MEMORY]
        super().__init__([*self.prefix, *server], folder / "server.log")

    def create(self) -> None:
        arguments = ["-D", str(self.data), "-U", "postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"]
        subprocess.run([*self.prefix, postgres_program("initdb"), *arguments], check=True, capture_output=True, cwd="/")

    def ready(self) -> bool:
        try:
            with psycopg.connect(self.url("postgres")):
                return True
        except psycopg.OperationalError:
            return False

    def url(self, name: str) -> str:
        return f"postgresql:///{name}?host={quote(str(self.folder), safe='')}&user=postgres"

    def new_database(self, name: str = "", template: str = "template1") -> str:
        """The URL of an empty database, or of a copy of another one that nobody is connected to."""
        self.made += 1
        name = name or f"test{self.made}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def execute(self, sql: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.encode())

    def stop(self, number: int = signal.SIGINT) -> int | None:
        """A fast shutdown: runuser stands between us and the server, so its own file names the process."""
        if not self.ended():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                os.kill(int((self.data / "postmaster.pid").read_text().split()[0]), number)
        return self.popen.wait(30) if self.popen else None


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder with a path short enough for a unix socket."""
    with tempfile.TemporaryDirectory(prefix="cco-", dir="/tmp") as name:
        yield Path(name)


@contextlib.contextmanager
def running(process: Running) -> Iterator[Running]:
    """Start it, and end it however the block is left."""
    try:
        process.start()
        yield process
    finally:
        process.stop()


@pytest.fixture
def valkey(short_folder: Path) -> Iterator[Valkey]:
    with running(Valkey(short_folder)) as server:
        yield server


@pytest.fixture(scope="session")
def shared_catcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catcher]:
    with running(Catcher(tmp_path_factory.mktemp("catcher"))) as server:
        yield server


@pytest.fixture
def catcher(shared_catcher: Catcher) -> Catcher:
    """A mail catcher that shows the mails of this test only."""
    shared_catcher.forget()
    return shared_catcher


@pytest.fixture(scope="module")
def portal_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PortalUp]:
    with running(PortalUp(tmp_path_factory.mktemp("up"))) as portal:
        yield portal
