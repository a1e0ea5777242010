"""RQ as a door-bell: a ring says that a lane has due work. Facts live in the database; a ring may be lost or doubled."""

from typing import Any

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

QUEUES = ("exports", "mail", "imports")
Serializer = JSONSerializer  # pickle would let anyone who writes to Redis run code in the worker
PATIENCE_S = 2.0
RING_LIVES_S = 60


def connect(url: str) -> Redis:
    """For the keeper: gives up after 2 s and never repeats a command, so that a hung server does not hang its caller."""
    return Redis.from_url(url, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S, retry=Retry(NoBackoff(), 0))


def ring(connection: Redis, queue: str, lanes: list[str]) -> None:
    """Ring for each lane, unless the queue still holds a ring no one heard."""
    bell = Queue(queue, connection=connection, serializer=Serializer)
    if bell.is_empty():
        for lane in lanes:
            bell.enqueue("portal.background.tasks.drain", lane, ttl=RING_LIVES_S, result_ttl=0, failure_ttl=0, job_timeout=-1)


def policy(connection: Redis) -> str:
    """What the server does when its memory is full: `noeviction`, or one that throws keys away; empty where it does not tell."""
    try:
        told: Any = connection.config_get("maxmemory-policy")
    except RedisError:
        return ""  # an account without CONFIG, or no server yet
    return str(told.get("maxmemory-policy", ""))
