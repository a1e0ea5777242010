"""What is measured: each server with its address and a signed-in cookie, on gunicorn as the portal runs it; peers install themselves."""

import contextlib
import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote, urlencode

HERE = Path(__file__).parent
ROOT = HERE.parent
FOLDER = ROOT / "var" / "benchmarks"
THREADS = "8"
TICKS = os.sysconf("SC_CLK_TCK")
WITHOUT = ("DATABASE_URL", "PORTAL_DATA", "SECRET_KEY", "SPECTRUM_URL", "REDIS_URL", "SMTP_HOST", "PORTAL_URL", "PORTAL_PORT")


@dataclass
class Server:
    """A running server: where the page is, and how to ask for it."""

    name: str
    port: int
    path: str
    cookie: str
    pid: int

    def processor_s(self) -> float:
        """User and system time of all of its processes so far."""
        return sum(_processor_s(pid) for pid in [self.pid, *_children(self.pid)])

    def get(self, path: str = "") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", path or self.path, headers={"Cookie": self.cookie})
        answer = connection.getresponse()
        return answer.status, answer.read()


def rows(count: int) -> Path:
    """A database of that many change orders; made once."""
    file = FOLDER / f"{count}.db"
    if not file.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        being_made = file.with_suffix(".part")
        being_made.unlink(missing_ok=True)
        print(f"Making {count:,} change orders ...", file=sys.stderr)
        command = [sys.executable, "-m", "portal.cli", "demo", "--rows", str(count), "--days", "365"]
        subprocess.run(command, cwd=ROOT, env=_environment(DATABASE_URL=f"sqlite:///{being_made}"), check=True, stdout=subprocess.DEVNULL)
        being_made.rename(file)
    command = [sys.executable, "-m", "portal.cli", "db", "migrate"]  # of an earlier version
    subprocess.run(command, cwd=ROOT, env=_environment(DATABASE_URL=f"sqlite:///{file}"), check=True, stdout=subprocess.DEVNULL)
    return file


@contextlib.contextmanager
def portal(file: Path, path: str = "/change-orders?view=ready") -> Iterator[Server]:
    """The portal, signed in as an approver by its own form."""
    environment = _environment(DATABASE_URL=f"sqlite:///{file}", SECRET_KEY="only-for-a-measurement-0123456789abcdef")  # noqa: S106
    with _gunicorn("the portal", Path(sys.executable), ROOT, "portal:create_app()", environment, path) as server:
        server.cookie = _signed_in(server)
        yield server


@contextlib.contextmanager
def floor(file: Path) -> Iterator[Server]:
    """Its session is one row of the portal's own table."""
    import sqlite3

    token = sha256(os.urandom(16)).hexdigest()
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(
            "INSERT INTO session (token_hash, user_id, road, address, browser, started_at, seen_at, confirmed_at, ended_why) "
            "SELECT ?, id, 'password', '', '', '2026-01-01', '2026-01-01', '2026-01-01', '' FROM \"user\" LIMIT 1",
            (token,),
        )
    folder = HERE / "peers" / "floor"
    with _gunicorn("floor", Path(sys.executable), folder, "app:application", _environment(ROWS_DATABASE=str(file)), "/") as server:
        server.cookie = f"session={token}"
        yield server


@contextlib.contextmanager
def peer(name: str, path: str, file: Path) -> Iterator[Server]:
    """A peer of benchmarks/peers in a virtual environment of its own."""
    folder, python = HERE / "peers" / name, _installed(name)
    environment = _environment(ROWS_DATABASE=str(file), PEER_FOLDER=str(FOLDER))
    cookie = subprocess.run([python, "app.py"], cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout.strip()
    with _gunicorn(name, python, folder, "app:application", environment, path) as server:
        server.cookie = cookie
        yield server


def _installed(name: str) -> Path:
    wanted = (HERE / "peers" / name / "requirements.txt").read_text()
    place = FOLDER / f"venv-{name}-{sha256(wanted.encode()).hexdigest()[:8]}"
    if not (place / "installed").exists():
        print(f"Installing {name} ...", file=sys.stderr)
        shutil.rmtree(place, ignore_errors=True)
        venv.create(place, with_pip=True)
        command = [place / "bin" / "pip", "install", "-qq", "-r", HERE / "peers" / name / "requirements.txt"]
        subprocess.run(command, check=True, stdout=sys.stderr)
        (place / "installed").touch()
    return place / "bin" / "python"


@contextlib.contextmanager
def _gunicorn(name: str, python: Path, folder: Path, app: str, environment: dict[str, str], path: str) -> Iterator[Server]:
    """One process on SQLite, as `portal up` has it."""
    port = _free_port()
    bound = ["--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--workers", "1", "--threads", THREADS, "--log-level", "error"]
    process = subprocess.Popen([python, "-m", "gunicorn", *bound, app], cwd=folder, env=environment, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield Server(name, port, path, "", process.pid)
    finally:
        process.terminate()
        process.wait()


def _signed_in(server: Server) -> str:
    import re

    from portal.demo import samples

    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", "/login")
    answer = connection.getresponse()
    page, cookie = answer.read().decode(), (answer.getheader("Set-Cookie") or "").partition(";")[0]
    token = (re.search(r'name="csrf_token" value="([^"]*)"', page) or [""])[1]
    form = urlencode({"email": "ana@example.test", "password": samples.PASSWORD, "csrf_token": token}, quote_via=quote)
    headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://127.0.0.1:{server.port}"}
    connection.request("POST", "/login", form, headers)
    answer = connection.getresponse()
    answer.read()
    if answer.status != 303:
        raise SystemExit(f"Could not sign in: {answer.status}")
    cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
    connection.request("GET", server.path, headers={"Cookie": cookie})
    answer = connection.getresponse()  # takes away what the sign-in had to tell
    answer.read()
    return (answer.getheader("Set-Cookie") or cookie).partition(";")[0]


def _environment(**settings: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in WITHOUT} | {"PORTAL_DATA": str(FOLDER)} | settings


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise SystemExit("A server ended at once; start it by hand to see why.")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise SystemExit("A server did not start within 30 seconds.")


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
