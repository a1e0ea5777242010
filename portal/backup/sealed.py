"""A stream of any length, encrypted in chunks by Fernet, so that no backup has to fit into memory.

Inside its seal each chunk carries the random name of its stream, its place and whether it is the last one. So chunks cannot be
moved, left out, cut off at the end or taken from another backup without being noticed.
"""

import secrets
import struct
from typing import BinaryIO

from cryptography.fernet import InvalidToken

from portal.backup import Refused
from portal.crypto import fernet

FIRST_LINE = b"portal backup, sealed, 1\n"
PURPOSE = b"portal: backups, 1"
CHUNK = 2**20
HEAD = struct.Struct(">16sQ?")


class Writer:
    """Encrypts what is written to it. `close` writes the last chunk; the file underneath stays open."""

    def __init__(self, out: BinaryIO, key: str) -> None:
        self._out, self._fernet = out, fernet(key, PURPOSE)
        self._name, self._place, self._waiting = secrets.token_bytes(16), 0, bytearray()
        out.write(FIRST_LINE)

    def write(self, content: bytes) -> int:
        self._waiting += content
        while len(self._waiting) >= CHUNK:
            self._put(self._waiting[:CHUNK], is_last=False)
            del self._waiting[:CHUNK]
        return len(content)

    def close(self) -> None:
        self._put(self._waiting, is_last=True)

    def _put(self, content: bytearray, *, is_last: bool) -> None:
        self._out.write(self._fernet.encrypt(HEAD.pack(self._name, self._place, is_last) + content) + b"\n")
        self._place += 1


class Reader:
    """Decrypts what a Writer wrote; the first line has been read already. Raises Refused for anything else."""

    def __init__(self, file: BinaryIO, key: str) -> None:
        self._file, self._fernet = file, fernet(key, PURPOSE)
        self._name, self._place, self._is_over, self._ready = b"", 0, False, bytearray()

    def read(self, size: int = -1) -> bytes:
        while not self._is_over and (size < 0 or len(self._ready) < size):
            self._take()
        wanted = len(self._ready) if size < 0 else size
        content = bytes(self._ready[:wanted])
        del self._ready[:wanted]
        return content

    def _take(self) -> None:
        token = self._file.readline()
        if not token:
            raise Refused("The backup is cut off: its end is missing. Take another one.")
        try:
            chunk = self._fernet.decrypt(token.rstrip(b"\n"))
        except InvalidToken:
            raise Refused(
                "The backup cannot be opened: BACKUP_KEY is another one than it was made with, or the file was changed."
            ) from None
        name, place, self._is_over = HEAD.unpack_from(chunk)
        if place != self._place or name != (self._name or name):
            raise Refused("The backup was changed: its parts are not in their order. Take another one.")
        self._name, self._place = name, place + 1
        self._ready += chunk[HEAD.size :]
