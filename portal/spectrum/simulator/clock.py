"""The simulator's clock: the real one, unless someone sets it."""

from datetime import UTC, datetime

from portal import clock


class Clock:
    """Goes on from wherever it was set; kept in memory only, so a restart goes back to real time."""

    def __init__(self) -> None:
        self._ahead = 0.0  # seconds

    def now(self) -> float:
        """Seconds since 1970."""
        return clock.machine().timestamp() + self._ahead

    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.now(), UTC)

    def set(self, now: str | None = None, advance_s: float = 0) -> None:
        """To a moment in ISO 8601 (UTC where it names no zone), or to real time when None; then onwards. Raises ValueError."""
        if now is not None:
            moment = datetime.fromisoformat(now)
            wanted = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
            self._ahead = wanted - clock.machine().timestamp()
        elif not advance_s:
            self._ahead = 0.0
        self._ahead += float(advance_s)
