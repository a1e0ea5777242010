"""Whether what `portal up` starts has come up."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Worker

from portal.standalone.machine import HOST

PATIENCE_S = 60.0
LOOK_EVERY_S = 0.1


class NotReady(Exception):
    """Something did not come up in time; the text names it."""


Check = Callable[[], Awaitable[bool]]


async def wait_for(checks: dict[str, Check]) -> None:
    """Wait until every check holds. Raises NotReady with the names of those that do not within a minute."""
    end = time.monotonic() + PATIENCE_S
    waiting = dict(checks)
    while waiting:
        for name, check in list(waiting.items()):
            if await check():
                del waiting[name]
        if waiting and time.monotonic() > end:
            raise NotReady(f"Not ready after {PATIENCE_S:g} s: {', '.join(waiting)}. Its lines above may say why.")
        if waiting:
            await asyncio.sleep(LOOK_EVERY_S)


def page(port: int, path: str) -> Check:
    """A check that GET `path` is answered with status 200."""

    async def check() -> bool:
        try:
            return await asyncio.wait_for(_status(port, path), 5) == b"200"
        except (OSError, IndexError, TimeoutError):
            return False

    return check


async def _status(port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: close\r\n\r\n".encode())
        return (await reader.readline()).split()[1]
    finally:
        writer.close()


def listens(port: int) -> Check:
    """A check that a connection is accepted."""

    async def check() -> bool:
        try:
            _, writer = await asyncio.open_connection(HOST, port)
        except OSError:
            return False
        writer.close()
        return True

    return check


def redis_answers(url: str) -> Check:
    """A check that a Redis-protocol server answers PING."""
    connection = _connection(url)

    async def check() -> bool:
        with contextlib.suppress(RedisError), connection:
            return bool(connection.ping())
        return False

    return check


def worker_of(queue: str, url: str) -> Check:
    """A check that an RQ worker has registered for `queue`."""
    connection = _connection(url)

    async def check() -> bool:
        with contextlib.suppress(RedisError), connection:
            return any(queue in worker.queue_names() for worker in Worker.all(connection=connection))
        return False

    return check


def _connection(url: str) -> Redis:
    """Without a thread, and closed after each look: a copy of this process must not share it."""
    return Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0))
