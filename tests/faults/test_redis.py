"""Redis holds door-bells: full, forgetful, out of date or full of rubbish, it costs time and nothing else."""

import json
import pickle
import subprocess
import sys
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from redis import Redis
from rq import Queue

import worker
from portal import clock as clocks
from portal.background import doorbell, keeper
from portal.domain import heartbeats, outbox
from portal.domain.change_orders import Status, load
from portal.domain.outbox import Dispatch, Task
from portal.domain.review import decisions
from tests.cast import seen
from tests.conftest import sign_in
from tests.processes import ROOT, environment, eventually

LANE = "exports:1"


@pytest.fixture
def warnings(monkeypatch):
    """What the keeper warned of."""
    told = []
    monkeypatch.setattr(keeper, "log", SimpleNamespace(warning=lambda event, **_: told.append(event)))
    return told


@pytest.fixture
def promised(database):
    outbox.promise("export:17", LANE, Task.EXPORT, 17)


@pytest.fixture
def rejected(make_change_order, ana):
    """A mail waits to be sent."""
    change_order = make_change_order()
    return decisions.reject(change_order.id, by=ana, version=change_order.version, reason="Wrong cost type on line 1")


def rings(url, queue="exports"):
    return Redis.from_url(url).llen(f"rq:queue:{queue}")


def throw_away(redis):
    """Write until the server has thrown something away, as any neighbour could."""
    while not redis.info("stats")["evicted_keys"]:
        for number in range(200):
            redis.set(f"rubbish:{time.monotonic_ns()}:{number}", "x" * 10_000)


def test_a_full_redis_costs_rings_and_nothing_else(promised, valkey, bell, warnings):
    """F13"""
    redis = Redis.from_url(valkey.url)
    redis.config_set("maxmemory", "1")  # byte: no ring fits

    keeper.ring(bell)

    assert warnings == ["Redis not available, work waits in the database"]
    assert rings(valkey.url) == 0
    redis.config_set("maxmemory", "0")
    keeper.ring(bell)
    assert rings(valkey.url) == 1


def test_a_redis_that_throws_rings_away_is_warned_of_and_rung_again(promised, valkey, bell, warnings):
    """F14, F12"""
    redis = Redis.from_url(valkey.url)
    redis.config_set("maxmemory-policy", "allkeys-lru")
    keeper.warn_of_eviction(bell)
    keeper.ring(bell)
    redis.config_set("maxmemory", f"{redis.info('memory')['used_memory'] + 2_000_000}")

    throw_away(redis)
    redis.config_set("maxmemory", "0")
    redis.delete("rq:queue:exports")  # whatever it was that went
    keeper.ring(bell)

    assert warnings == ["Redis may throw rings away, exports will be late; set maxmemory-policy noeviction"]
    assert rings(valkey.url) == 1


def test_a_redis_that_keeps_everything_is_not_warned_of(valkey, bell, warnings):
    """F14"""
    keeper.warn_of_eviction(bell)
    valkey.kill()
    keeper.warn_of_eviction(bell)  # nor one that is away: that is another story

    assert warnings == []


def test_rings_of_an_older_version_find_nothing_to_do(rejected, valkey, catcher, make_worker):
    """F15"""
    queue = Queue("mail", connection=Redis.from_url(valkey.url), serializer=doorbell.Serializer)
    for what, lane in (
        ("portal.background.tasks.drain", "exports:99"),
        ("portal.background.tasks.drain", "nowhere"),
        ("portal.tasks.drain", "exports"),
        ("portal.gone.export_one", 17),
    ):
        queue.enqueue(what, lane, result_ttl=0, failure_ttl=0)
    queue.enqueue("portal.background.tasks.drain", "mail", result_ttl=0, failure_ttl=0)

    make_worker("mail", SMTP_HOST="127.0.0.1", SMTP_PORT=catcher.smtp_port)

    eventually(lambda: catcher.mails())
    eventually(lambda: rings(valkey.url, "mail") == 0)
    assert len(catcher.mails()) == 1


class Bomb:
    """What a pickle of this does to whoever opens it."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return (subprocess.check_call, (["touch", str(self.file)],))


def test_rubbish_in_redis_runs_nothing_and_the_worker_lives(rejected, valkey, catcher, make_worker, tmp_path):
    """F16"""
    redis, trace = Redis.from_url(valkey.url), tmp_path / "it ran"
    bomb = pickle.dumps(Bomb(trace))
    rubbish = [bomb, b"not json", b'["os.system", null, ["touch it"], {}]', b"[]", b"\xff" * 10_000_000, b'{"a": 1}']
    for number, data in enumerate(rubbish):
        redis.hset(f"rq:job:{number}", mapping={"data": data, "created_at": "2020-01-01T00:00:00.000000Z", "status": "queued"})
    redis.set("rq:job:no-hash", "x")
    redis.hset("rq:job:no-time", mapping={"data": b"[]", "created_at": "yesterday"})
    redis.rpush("rq:queue:mail", *map(str, range(len(rubbish))), "of-no-job", "no-hash", "no-time", b"\x00\xff", bomb)
    redis.zadd("rq:wip:mail", {b"\xfe\xff": 1})
    redis.rpush("rq:queue:mail:intermediate", b"\xfe\xff")
    worker = make_worker("mail", SMTP_HOST="127.0.0.1", SMTP_PORT=catcher.smtp_port)

    eventually(lambda: rings(valkey.url, "mail") == 0)
    doorbell.ring(redis, "mail", ["mail"])

    eventually(lambda: catcher.mails() or worker.ended())
    assert not worker.ended()
    assert not trace.exists()
    assert len(catcher.mails()) == 1
    assert worker.stop() == 0


def test_a_worker_outlives_a_redis_without_memory(rejected, valkey, catcher, make_worker):
    """F13"""
    redis = Redis.from_url(valkey.url)
    worker = make_worker("mail", SMTP_HOST="127.0.0.1", SMTP_PORT=catcher.smtp_port)
    worker.hang()  # or it is through with the ring before the memory is gone
    doorbell.ring(redis, "mail", ["nowhere"])
    redis.config_set("maxmemory", "1")
    worker.cont()
    eventually(lambda: "maxmemory" in worker.output())

    redis.config_set("maxmemory", "0")
    eventually(lambda: catcher.mails() or worker.ended() or doorbell.ring(redis, "mail", ["mail"]))  # as the keeper does
    assert not worker.ended()


def test_many_rings_for_two_workers_are_one_mail(rejected, valkey, catcher, make_worker):
    """F23"""
    queue = Queue("mail", connection=Redis.from_url(valkey.url), serializer=doorbell.Serializer)
    for _ in range(12):
        queue.enqueue("portal.background.tasks.drain", "mail", ttl=600, result_ttl=0, failure_ttl=0)

    for _ in range(2):
        make_worker("mail", SMTP_HOST="127.0.0.1", SMTP_PORT=catcher.smtp_port)

    eventually(lambda: rings(valkey.url, "mail") == 0)
    eventually(lambda: Dispatch.get().finished_at)
    assert len(catcher.mails()) == 1
    assert Dispatch.get().tries == 1


def test_a_ring_that_dies_with_its_keeper_is_rung_by_the_next(promised, valkey, make_keeper, tmp_path):
    """F24"""
    (tmp_path / "points").mkdir()
    (tmp_path / "points" / "wake.before").write_text("kill 1")
    rehearsed = make_keeper(PORTAL_REHEARSAL=tmp_path, SPECTRUM_URL="http://127.0.0.1:9")

    rehearsed.start()
    eventually(rehearsed.ended)
    assert rings(valkey.url) == 0
    rehearsed.start()

    eventually(lambda: rings(valkey.url) == 1)


def test_without_keepers_accepts_work_everybody_is_told_and_it_catches_up(client, make_change_order, ana, valkey, bell, clock):
    """F25"""
    change_order = make_change_order()
    heartbeats.beat("keeper")
    clock.tick(hours=1)
    sign_in(client, ana)

    answer = client.post(f"/change-orders/{change_order.id}/acceptance", data=seen(change_order))
    page = client.get("/change-orders").text
    keeper.ring(bell)

    assert answer.status_code == 303
    assert load(change_order.id).state is Status.QUEUED
    assert "The export keeper hasn’t reported for 60 minutes. Accepted change orders wait in line." in page
    assert rings(valkey.url) == 1


@pytest.fixture
def an_hour_passes_in(tmp_path):
    """Settings under which the portal's hour takes so many seconds: a rehearsal's."""

    def settings(seconds):
        (tmp_path / "clock.json").write_text(json.dumps({"started": clocks.machine().timestamp(), "speed": 3600 / seconds}))
        return {"PORTAL_REHEARSAL": tmp_path, "SPECTRUM_URL": "http://127.0.0.1:9"}

    return settings


def test_without_a_keeper_the_mail_worker_tells_by_itself_that_work_stands_still(
    rejected, promised, eve, valkey, catcher, make_worker, an_hour_passes_in
):
    """F25: no ring is for the work that waits. What wakes the worker in time is a ring for a lane that is not there."""
    redis = Redis.from_url(valkey.url)

    make_worker("mail", SMTP_HOST="127.0.0.1", SMTP_PORT=catcher.smtp_port, **an_hour_passes_in(seconds=8))

    assert catcher.mails() == []  # it has only just begun to watch
    expected = {
        "Exports stand still in the CCO Portal",
        "Mail stands still in the CCO Portal",
        f"CCO {rejected.number} sent back: {rejected.title}",
    }
    eventually(lambda: doorbell.ring(redis, "mail", ["nowhere"]) or {mail["subject"] for mail in catcher.mails()} == expected)


def test_a_mail_worker_that_starts_after_an_off_period_tells_nobody_of_it(rejected, promised, eve, valkey, catcher, make_worker):
    """F25"""
    Dispatch.update(due_at=clocks.now() - timedelta(hours=10)).execute()
    redis = Redis.from_url(valkey.url)

    make_worker("mail", SMTP_HOST="127.0.0.1", SMTP_PORT=catcher.smtp_port)  # which looks as it begins
    doorbell.ring(redis, "mail", ["mail"])

    eventually(lambda: catcher.mails())
    assert [mail["subject"] for mail in catcher.mails()] == [f"CCO {rejected.number} sent back: {rejected.title}"]
    assert Dispatch.select().where(Dispatch.task == Task.STANDSTILL).count() == 0


def test_a_worker_that_finds_no_redis_at_its_start_looks_after_what_stands_still_all_the_same(database, monkeypatch):
    """F10"""
    looked = []
    monkeypatch.setattr(worker, "watch", lambda: looked.append("looked"))
    monkeypatch.setattr(worker, "PAUSE_S", 0)

    assert worker.listen("mail", "redis://127.0.0.1:9") is False

    assert looked


def test_without_redis_the_line_is_drained_by_hand(rejected, database_url, catcher, tmp_path):
    """F10: with Redis away for good, `portal exports drain` does what the workers would"""
    settings = {
        "DATABASE_URL": database_url,
        "PORTAL_DATA": tmp_path,
        "SECRET_KEY": "for tests only " * 3,
        "REDIS_URL": "redis://127.0.0.1:9",
    }
    mail = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": catcher.smtp_port}

    done = subprocess.run(
        [sys.executable, "-m", "portal.cli", "exports", "drain"],
        cwd=ROOT,
        env=environment(**settings, **mail),
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert len(catcher.mails()) == 1
