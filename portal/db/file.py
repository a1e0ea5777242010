"""Whether the SQLite database is still the file this process began with.

A file put in its place while the portal runs is another database: what was opened before is written into a file that has no
name any more, and is lost with the last process that holds it. The same is true of the write-ahead log beside it.
"""

from pathlib import Path

MEMORY = ":memory:"


class File:
    """The file of one database. It is known from the first time it was there."""

    def __init__(self, path: str) -> None:
        self.path = None if path == MEMORY else Path(path)
        self.log = Path(f"{path}-wal")
        self._known: tuple[int, int] | None = None
        self.fault()

    def fault(self) -> str:
        """What happened to the file, as a sentence; an empty text while it is where it was."""
        here = self._identity()
        self._known = self._known or here
        if here == self._known:
            return ""
        return f"The database file {self.path} was {'replaced' if here else 'removed'} while the portal ran."

    def fault_of_log(self) -> str:
        """The same of the write-ahead log, which is there as long as anyone has begun to write."""
        return "" if self.path is None or self.log.exists() else f"The file {self.log} was removed while the portal ran."

    def _identity(self) -> tuple[int, int] | None:
        if self.path is None:
            return None
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino
