"""`portal up` starts everything on one machine, keeps it running, and ends all of it."""

import contextlib
import json
import os
import shutil
import signal
import smtplib
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, Worker

from portal.background import doorbell
from portal.domain import processes
from portal.standalone import valkey
from tests.ports import free_port
from tests.processes import ROOT, PortalUp, alive, environment, eventually, get_json, running


def refused(tmp_path: Path, **settings: object) -> str:
    """What `portal up` says when it does not start; it must be short and say nothing on stdout."""
    env = environment(**{"PORTAL_PORT": free_port(), "PORTAL_DATA": tmp_path / "data"} | settings)
    done = subprocess.run([sys.executable, "-m", "portal.cli", "up"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]


def status(url: str) -> int:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return int(answer.status)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[PortalUp]:
    """A `portal up` that a test may harm."""
    with running(PortalUp(tmp_path)) as portal:
        yield portal


def test_it_prints_one_line_of_json_with_all_a_script_needs(fresh: PortalUp) -> None:
    [line] = fresh.answer.read_text().splitlines()

    report = json.loads(line)

    assert report["url"] == f"http://127.0.0.1:{fresh.port}"
    assert {account["what"] for account in report["accounts"]} >= {"approver", "read only", "sender", "admin", "support"}
    assert all(account["email"] and account["password"] for account in report["accounts"])
    assert [process["name"] for process in report["processes"]] == [
        "valkey",
        "simulator",
        "catcher",
        "web",
        "exports",
        "mail",
        "imports",
        "keeper",
    ]
    assert all(alive(process["pid"]) for process in report["processes"])


def test_with_an_address_of_spectrum_it_starts_no_simulator_and_loads_no_sample(tmp_path: Path) -> None:
    with running(PortalUp(tmp_path, SPECTRUM_URL="https://spectrum.example.test:8482", SMTP_HOST="127.0.0.1")) as portal:
        assert (portal.report["simulator"], portal.report["accounts"]) == (None, [])
        assert "simulator" not in portal.pids()


def test_beside_a_real_spectrum_mail_is_caught_only_when_asked_for(tmp_path: Path) -> None:
    message = refused(tmp_path, SPECTRUM_URL="https://spectrum.example.test:8482")
    asked = PortalUp(tmp_path, SPECTRUM_URL="https://spectrum.example.test:8482")
    asked.command.append("--catcher")
    with running(asked) as portal:
        caught = portal.report["mail"]

    assert message.startswith("Error: SMTP_HOST: is not set, and beside a real Spectrum mail must reach people.")
    assert "--catcher" in message
    assert caught


def test_everything_it_names_answers(portal_up: PortalUp) -> None:
    report = portal_up.report

    assert status(f"{report['url']}/readyz") == 200
    assert isinstance(get_json(f"{report['mail']}/mails.json"), list)
    assert get_json(f"{report['simulator']}/__sim/ledger").keys() == {"change_requests", "journal"}


def test_it_listens_on_this_machine_only(portal_up: PortalUp) -> None:
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]

    listening = {address for _, address, _, state, *_ in sockets if state == "0A" and int(address.split(":")[1], 16) == portal_up.port}

    assert listening == {f"0100007F:{portal_up.port:04X}"}


def test_its_data_is_private(portal_up: PortalUp) -> None:
    modes = {}
    for path in [portal_up.data, *portal_up.data.rglob("*")]:
        with contextlib.suppress(FileNotFoundError):  # the log of the database comes and goes with its connections
            modes |= {path: stat.S_IMODE(path.stat().st_mode)} if not path.is_socket() else {}

    assert modes[portal_up.data] == 0o700
    assert modes[portal_up.data / "secret_key"] == 0o600
    assert not [path for path, mode in modes.items() if mode & 0o077]


def test_two_copies_run_side_by_side(portal_up: PortalUp, fresh: PortalUp) -> None:
    ours, theirs = portal_up.report, fresh.report

    assert {ours[name] for name in ("url", "mail", "simulator")}.isdisjoint(theirs[name] for name in ("url", "mail", "simulator"))
    assert status(f"{ours['url']}/readyz") == status(f"{theirs['url']}/readyz") == 200


def test_a_second_one_on_the_same_data_is_refused(portal_up: PortalUp, tmp_path: Path) -> None:
    message = refused(tmp_path, PORTAL_DATA=portal_up.data)

    assert (
        message
        == f"Error: PORTAL_DATA: {portal_up.data} is in use by another `portal up`. Stop that one, or set PORTAL_DATA to another folder."
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_everything_and_ends_well(tmp_path: Path, number: int) -> None:
    with running(PortalUp(tmp_path)) as portal:
        pids = portal.pids()

        code = portal.stop(number)

    assert code == 0
    assert not [name for name, pid in pids.items() if alive(pid)]


def test_the_same_data_has_the_same_links_key_and_people_again(fresh: PortalUp) -> None:
    key, before = (fresh.data / "secret_key").read_text(), fresh.report

    fresh.restart()

    assert (fresh.data / "secret_key").read_text() == key
    assert {name: value for name, value in fresh.report.items() if name != "processes"} == {
        name: value for name, value in before.items() if name != "processes"
    }


@pytest.mark.parametrize("name", ["web", "simulator", "catcher"])
def test_a_killed_server_is_started_again(portal_up: PortalUp, name: str) -> None:
    report = portal_up.report
    urls = {"web": f"{report['url']}/readyz", "simulator": report["simulator"], "catcher": report["mail"]}

    os.kill(portal_up.pids()[name], signal.SIGKILL)

    eventually(lambda: f"{name} died with signal SIGKILL" in portal_up.output())

    def answers() -> bool:
        with contextlib.suppress(OSError):
            return status(urls[name]) == 200
        return False

    eventually(answers)


def test_a_killed_worker_is_started_again_and_takes_no_other_along(portal_up: PortalUp) -> None:
    url = redis_of(portal_up)
    pids = {process["name"]: process["pid"] for process in portal_up.report["processes"]}
    others = {name: pid for name, pid in pids.items() if name != "exports" and alive(pid)}

    os.kill(pids["exports"], signal.SIGKILL)

    eventually(lambda: "exports died with signal SIGKILL" in portal_up.output())
    eventually(lambda: heard(url, "exports"))
    assert not [name for name, pid in others.items() if not alive(pid)]


def test_the_status_command_knows_every_keeper_and_worker_that_runs(portal_up: PortalUp) -> None:
    """Those that were killed before are swept away by what was started in their place."""
    command, env = [sys.executable, "-m", "portal.cli", "status", "--json"], environment(PORTAL_DATA=portal_up.data)

    def each_once_and_alive() -> bool:
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
        reported = json.loads(done.stdout)["processes"]
        return [process["kind"] for process in reported] == list(processes.KINDS) and all(alive(process["pid"]) for process in reported)

    eventually(each_once_and_alive)


def test_it_has_one_thread_and_no_open_database_for_a_copy_to_inherit(portal_up: PortalUp) -> None:
    threads = list(Path(f"/proc/{portal_up.pid}/task").iterdir())
    files = [str(file.readlink()) for file in Path(f"/proc/{portal_up.pid}/fd").iterdir()]

    assert len(threads) == 1
    assert not [file for file in files if "portal.db" in file]


def test_each_process_has_its_name_where_people_look(portal_up: PortalUp) -> None:
    mail, keeper = (Path(f"/proc/{portal_up.pids()[name]}/comm").read_text().strip() for name in ("mail", "keeper"))

    assert (mail, keeper) == ("mail", "keeper")


def test_workers_come_back_after_redis_died(fresh: PortalUp) -> None:
    url = redis_of(fresh)

    os.kill(fresh.pids()["valkey"], signal.SIGKILL)
    eventually(lambda: "valkey died with signal SIGKILL" in fresh.output())

    eventually(lambda: listening(url) == {"exports", "mail", "imports"})
    assert not fresh.ended()


@pytest.mark.parametrize("which", ["data", "socket"])
def test_a_folder_of_valkey_that_is_removed_is_made_anew_and_everything_goes_on(fresh: PortalUp, which: str) -> None:
    url = redis_of(fresh)
    socket_file = Path(url.removeprefix("unix://"))
    before = fresh.pids()["valkey"]

    shutil.rmtree(fresh.data / "valkey" if which == "data" else socket_file.parent)

    eventually(lambda: "valkey lost a folder it needs" in fresh.output())
    eventually(lambda: not alive(before) and socket_file.exists())
    eventually(lambda: all(heard(url, queue) for queue in doorbell.QUEUES))
    assert not fresh.ended()
    assert (fresh.data / "valkey").stat().st_mode & 0o777 == 0o700


def heard(url: str, queue: str) -> bool:
    """Whether a worker takes what is rung for: a new server knows of no worker that was there before, though they listen."""
    with contextlib.suppress(RedisError):
        bell = Redis.from_url(url)
        doorbell.ring(bell, queue, [f"{queue}:0"])
        time.sleep(0.5)
        return bool(Queue(queue, connection=bell, serializer=doorbell.Serializer).is_empty())
    return False


def listening(url: str) -> set[str]:
    """The queues that workers listen to."""
    with contextlib.suppress(RedisError):
        return {queue for worker in Worker.all(connection=Redis.from_url(url)) for queue in worker.queue_names()}
    return set()


def redis_of(portal: PortalUp) -> str:
    """The address of its Valkey, which that shows as its title."""
    title = Path(f"/proc/{portal.pids()['valkey']}/cmdline").read_text().strip("\0 ")
    return valkey.url(Path(title.partition("unixsocket:")[2]))


def test_nothing_outlives_it_when_it_is_killed(fresh: PortalUp) -> None:
    pids = fresh.pids()

    fresh.kill()

    eventually(lambda: not any(map(alive, pids.values())))


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        message = refused(tmp_path, PORTAL_PORT=port)

    assert message == f"Error: PORTAL_PORT: port {port} is in use (Address already in use). Set PORTAL_PORT to a free one."


def test_a_file_for_a_data_folder_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.touch()

    assert refused(tmp_path) == f"Error: PORTAL_DATA: {file} is not a folder. Name another one."


def test_a_read_only_data_folder_is_one_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o500)

    assert refused(tmp_path) == f"Error: PORTAL_DATA: cannot write to {folder} (it is read-only). Name a folder that can be written to."


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORTAL_PORT", "http", "PORTAL_PORT: "),
        ("SECRET_KEY", "short", "SECRET_KEY: needs at least 32 characters"),
        ("SPECTRUM_URL", "http://erp.example.test:8482", "SPECTRUM_URL: must start with https://"),
        ("PORTAL_URL", "https://cco.example.test", "SPECTRUM_URL: is plain http, so it is not the company's Spectrum."),
        ("TIME_ZONE", "Mars/Olympus", "TIME_ZONE: is not an IANA time zone"),
        ("REDIS_URL", "unix:///nonexistent/redis.sock", "REDIS_URL: no Redis server answers there."),
        ("REDIS_URL", "carrier-pigeon://roof", "REDIS_URL: "),
        ("DATABASE_URL", "sqlite:////nonexistent/portal.db", "DATABASE_URL: the database cannot be used"),
        ("DATABASE_URL", "carrier-pigeon://roof", "DATABASE_URL: is neither sqlite:///FILE nor postgresql://USER@HOST/NAME."),
        ("DATABASE_URL", "postgresql:///portal?host=/nonexistent", "DATABASE_URL: the database cannot be used"),
    ],
)
def test_an_unusable_setting_is_one_sentence(tmp_path: Path, name: str, value: str, sentence: str) -> None:
    assert sentence in refused(tmp_path, **{name: value})


def test_a_mail_taken_by_the_catcher_is_shown(portal_up: PortalUp) -> None:
    port = json.loads((portal_up.data / "ports.json").read_text())["smtp"]

    with smtplib.SMTP("127.0.0.1", port, timeout=10) as smtp:
        smtp.sendmail("a@example.test", ["b@example.test"], b"Subject: hello\r\n\r\nhello")

    assert "hello" in {mail["subject"] for mail in get_json(f"{portal_up.report['mail']}/mails.json")}


def test_postgresql_works_as_well(tmp_path: Path, postgres: str) -> None:
    with running(PortalUp(tmp_path, DATABASE_URL=postgres)) as portal:
        assert status(f"{portal.report['url']}/readyz") == 200
        assert not list(portal.data.glob("portal.db*"))
