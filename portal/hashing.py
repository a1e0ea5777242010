"""What is kept in place of secrets.

Passwords are hashed with argon2id, a few at a time: each takes 64 MiB, and a crowd at the door must not take all there is.
Tokens are random already, so that a plain SHA-256 of one tells no one anything and finds it again by an index.
"""

import hashlib
import threading
from typing import Any

from argon2 import PasswordHasher

AT_ONCE = 2  # hashes of one process: 128 MiB, and no more than a small machine computes at a time
PATIENCE_S = 10.0


class Crowded(Exception):
    """So many people sign in at once that this one has to come back; nothing was recorded."""

    def __init__(self) -> None:
        super().__init__("Too many people are signing in at this moment. Try again in a few seconds.")


class Hasher(PasswordHasher):
    """argon2id, of which at most `at_once` are computed at the same time. Raises Crowded for who waits longer than 10 seconds."""

    def __init__(self, at_once: int = AT_ONCE, patience: float = PATIENCE_S) -> None:
        super().__init__(time_cost=3, memory_cost=64 * 1024, parallelism=1)  # KiB; above the OWASP minimum of 19 MiB, 2 passes
        self._room, self._patience = threading.BoundedSemaphore(at_once), patience

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        return str(self._in_turn(super().hash, password, salt=salt))

    def verify(self, hash: str | bytes, password: str | bytes) -> Any:
        return self._in_turn(super().verify, hash, password)

    def _in_turn(self, compute: Any, *given: Any, **named: Any) -> Any:
        if not self._room.acquire(timeout=self._patience):
            raise Crowded
        try:
            return compute(*given, **named)
        finally:
            self._room.release()


def fingerprint(text: str) -> str:
    """SHA-256 in hex, of whatever text: also of one that is no valid Unicode."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
