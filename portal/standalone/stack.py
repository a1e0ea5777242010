"""One run of the whole portal on one machine, from Redis to web server."""

import asyncio
import contextlib
import importlib
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import config
from portal import secret_path, version
from portal.background import doorbell
from portal.standalone import machine, readiness, valkey
from portal.standalone.supervisor import Supervisor

PORTAL = ["-m", "portal.cli"]
WORKER = ["-m", "portal.worker"] if version.INSTALLED else [str(version.ROOT / "worker.py")]
THREADS = 8
SHARED = (  # by all that is forked; what a single process uses, such as Zeep, that process loads
    *("gunicorn.app.wsgiapp", "gunicorn.workers.gthread", "portal.standalone.database"),
    *("portal.web", "portal.background.keeper", "portal.background.tasks"),
)
NO_MAIL = (
    "SMTP_HOST: is not set, and beside a real Spectrum mail must reach people. Set SMTP_HOST; "
    "or, to have all mail kept on a page of this machine, start with --catcher."
)
FOLDERS = {"simulator": "simulator", "mail": "catcher"}  # of the stand-ins with a page


@contextlib.contextmanager
def socket_folder() -> Iterator[Path]:
    """A folder with a short path: the path of a unix socket may have about 100 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="portal-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Up:
    """One run of everything.

    Where Redis, Spectrum or a mail server is not configured, its stand-in is started and put into the settings, and the
    settings reach all processes through the environment.
    """

    def __init__(self, wanted: config.Settings, folder: Path, socket: Path, show: Callable[[dict[str, Any]], None], catcher: bool) -> None:
        self.folder, self.socket, self.show = folder, socket, show
        self.ports = machine.ports(folder)
        self.own_redis, self.own_spectrum, self.own_mail = not wanted.REDIS_URL, not wanted.SPECTRUM_URL, not wanted.SMTP_HOST
        if self.own_mail and not catcher and not (self.own_spectrum or wanted.SPECTRUM_URL.startswith(config.HERE)):
            raise machine.Unusable(NO_MAIL)
        self.settings = wanted.model_copy(update=self.stand_ins() | {"SECRET_KEY": wanted.SECRET_KEY or machine.secret_key(folder)})
        os.environ.update({name: str(value) for name, value in self.settings.model_dump().items()})

    def stand_ins(self) -> dict[str, object]:
        """Settings that point at what we start ourselves."""
        redis = {"REDIS_URL": valkey.url(self.socket)} if self.own_redis else {}
        spectrum = {"SPECTRUM_URL": self.url("simulator")} if self.own_spectrum else {}
        mail = {"SMTP_HOST": machine.HOST, "SMTP_PORT": self.ports["smtp"], "SMTP_TLS": "off", "SMTP_USER": ""} if self.own_mail else {}
        return redis | spectrum | mail

    def url(self, name: str) -> str:
        """The address of a stand-in, with the word that no one guesses."""
        return f"http://{machine.HOST}:{self.ports[name]}/{secret_path.word(self.folder / FOLDERS[name])}"

    def path(self, name: str) -> str:
        return f"{urlsplit(self.url(name)).path}/"

    async def run(self) -> None:
        """Until Ctrl-C or SIGTERM. Raises KeepsDying, NotReady, or Unusable for a setting that turns out not to work."""
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with Supervisor() as supervisor:
            working = asyncio.create_task(self.work(supervisor))
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if working.done():
                working.result()
            working.cancel()
            supervisor.say("Stopping.")

    async def work(self, supervisor: Supervisor) -> None:
        """Start Redis and the stand-ins; while they come up, load what the others share and prepare the database."""
        await self.start_redis(supervisor)
        for name, command in self.stand_in_commands().items():
            supervisor.start(name, command, forks=True)
        await asyncio.sleep(0)  # lets them start
        for module in SHARED:
            importlib.import_module(module)
        from portal.standalone import database

        database.prepare(self.settings, with_samples=self.own_spectrum)
        await self.redis_is_there()
        for name, command in self.commands().items():
            supervisor.start(name, command, forks=True)
        watching = asyncio.create_task(supervisor.watch())
        waiting = asyncio.create_task(readiness.wait_for(self.checks()))
        await asyncio.wait({watching, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if watching.done():
            waiting.cancel()
            watching.result()
        waiting.result()
        self.show(self.report(supervisor))
        await watching

    async def start_redis(self, supervisor: Supervisor) -> None:
        if self.own_redis:
            data = self.folder / "valkey"
            supervisor.start("valkey", valkey.command(self.socket, data), last=True, folders=(data, self.socket.parent))
        else:
            await self.redis_is_there()

    async def redis_is_there(self) -> None:
        """Wait for our own; another one must be there."""
        try:
            answers = readiness.redis_answers(self.settings.REDIS_URL)
        except ValueError as error:
            raise machine.Unusable(f"REDIS_URL: {error}.") from None
        if self.own_redis:
            await readiness.wait_for({"valkey": answers})
        elif not await answers():
            raise machine.Unusable("REDIS_URL: no Redis server answers there. Start it, or unset REDIS_URL to use the built-in one.")

    def commands(self) -> dict[str, list[str]]:
        """What runs beside Redis and the stand-ins, by name."""
        processes = "1" if self.settings.DATABASE_URL.startswith("sqlite") else "3"  # writers in several wait for SQLite unfairly
        web = ["--bind", f"{machine.HOST}:{self.settings.PORTAL_PORT}", "--worker-class", "gthread", "--workers", processes]
        return {
            "web": ["-m", "gunicorn", *web, "--threads", str(THREADS), "--no-control-socket", "portal:create_app()"],
            **{queue: [*WORKER, queue] for queue in doorbell.QUEUES},
            "keeper": [*PORTAL, "keeper"],
        }

    def stand_in_commands(self) -> dict[str, list[str]]:
        """The servers in place of those that are not configured, by name."""
        commands = {}
        if self.own_spectrum:
            places = ["--port", str(self.ports["simulator"]), "--data", str(self.folder / "simulator")]
            commands["simulator"] = [*PORTAL, "simulator", *places, "--controls"]
        if self.own_mail:
            places = ["--smtp-port", str(self.ports["smtp"]), "--http-port", str(self.ports["mail"])]
            commands["catcher"] = [*PORTAL, "catcher", *places, "--data", str(self.folder / "catcher")]
        return commands

    def checks(self) -> dict[str, readiness.Check]:
        """How to see that each has come up."""
        checks = {name: readiness.worker_of(name, self.settings.REDIS_URL) for name in doorbell.QUEUES}
        if self.own_spectrum:
            checks["simulator"] = readiness.page(self.ports["simulator"], self.path("simulator"))
        if self.own_mail:
            checks |= {
                "catcher": readiness.page(self.ports["mail"], self.path("mail")),
                "catcher (SMTP)": readiness.listens(self.ports["smtp"]),
            }
        return checks | {"web": readiness.page(self.settings.PORTAL_PORT, "/readyz")}

    def report(self, supervisor: Supervisor) -> dict[str, Any]:
        """What a person or a script needs to know to use it."""
        from portal.standalone import database

        return {
            "url": f"http://{machine.HOST}:{self.settings.PORTAL_PORT}",
            "accounts": database.sample_accounts(),
            "simulator": self.url("simulator") if self.own_spectrum else None,
            "mail": self.url("mail") if self.own_mail else None,
            "processes": [{"name": program.name, "pid": program.process.pid} for program in supervisor.programs if program.process],
        }
