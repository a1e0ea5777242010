"""The file of a backup: a manifest, the copy of the database and the heads of the trail, as tar.gz; encrypted where there is a key."""

import contextlib
import hashlib
import json
import os
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from portal.backup import Progress, Refused, sealed

FORMAT = "portal-backup/1"
MANIFEST, DATABASE, HEADS = "manifest.json", "database", "audit-heads.jsonl"
PIECE = 2**20
OTHER = "is not a backup of the portal, or was changed. Take another one."


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the backup holds.

    taken_at    ISO 8601, UTC: what was written later is not in it
    version     of the portal that made it
    kind        of database: `sqlite` or `postgresql`
    migrations  that the database has
    counts      of rows, by table
    head        number and hash of the last event of the audit trail
    files       SHA-256 by name
    """

    taken_at: str
    version: str
    kind: str
    migrations: list[str]
    counts: dict[str, int]
    head: tuple[int, str]
    files: dict[str, str]
    format: str = FORMAT


def write(out: Path, manifest: Manifest, folder: Path, key: str, tell: Progress) -> None:
    """Make the file, which must not be there yet, readable by its owner only, of the manifest and its files in the folder.

    Raises OSError; an incomplete file is removed.
    """
    content = json.dumps(asdict(manifest), indent=1).encode()
    (folder / MANIFEST).write_bytes(content)
    try:
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            with _sealing(file, key) as stream, tarfile.open(fileobj=cast(BinaryIO, stream), mode="w|gz") as tar:
                for number, name in enumerate([MANIFEST, *manifest.files], 1):
                    tar.add(folder / name, name, filter=_nameless)
                    tell("Written", number, len(manifest.files) + 1)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise
    except BaseException:
        out.unlink(missing_ok=True)
        raise


def unpack(file: Path, folder: Path, key: str, tell: Progress) -> Manifest:
    """Put the files of the backup into the folder, and see that they are those of its manifest. Raises Refused."""
    try:
        with file.open("rb") as source, _opening(source, key, str(file)) as stream:
            with tarfile.open(fileobj=stream, mode="r|gz") as tar:
                found = {name: _extract(tar, name, member, folder, tell) for name, member in _members(tar, file)}
            stream.read()  # to the end: what is cut off there is noticed only there
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise Refused(f"{file} {OTHER}") from error
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror or error}") from error
    manifest = _manifest(folder / MANIFEST, file)
    found.pop(MANIFEST)
    if found != manifest.files:
        raise Refused(f"{file} {OTHER}")
    return manifest


def digest(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


@contextlib.contextmanager
def _sealing(file: BinaryIO, key: str) -> Iterator[Any]:
    if not key:
        yield file
        return
    writer = sealed.Writer(file, key)
    yield writer
    writer.close()


@contextlib.contextmanager
def _opening(file: BinaryIO, key: str, name: str) -> Iterator[Any]:
    is_sealed = file.readline(len(sealed.FIRST_LINE)) == sealed.FIRST_LINE
    if is_sealed and not key:
        raise Refused(f"{name} is encrypted, and BACKUP_KEY is not set. Set it to the key it was made with.")
    if not is_sealed:
        file.seek(0)
    yield sealed.Reader(file, key) if is_sealed else file


def _members(tar: tarfile.TarFile, file: Path) -> Iterator[tuple[str, tarfile.TarInfo]]:
    """Only plain files under the names that backups have: nothing is put anywhere else."""
    for member in tar:
        if member.name not in (MANIFEST, DATABASE, HEADS) or not member.isfile():
            raise Refused(f"{file} {OTHER}")
        yield member.name, member


def _extract(tar: tarfile.TarFile, name: str, member: tarfile.TarInfo, folder: Path, tell: Progress) -> str:
    """The SHA-256 of what was put there."""
    source, seen, done = cast(BinaryIO, tar.extractfile(member)), hashlib.sha256(), 0
    with (folder / name).open("wb") as out:
        while piece := source.read(PIECE):
            out.write(piece)
            seen.update(piece)
            done += len(piece)
            tell(f"Read back: {name}", done, member.size)
    return seen.hexdigest()


def _manifest(path: Path, file: Path) -> Manifest:
    try:
        told = json.loads(path.read_bytes())
        if told.pop("format") != FORMAT:
            raise Refused(f"{file} was made by a newer version of the portal. Restore it with that one.")
        return Manifest(**told | {"head": tuple(told["head"])})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        raise Refused(f"{file} {OTHER}") from None


def _nameless(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid, member.gid, member.uname, member.gname, member.mode = 0, 0, "", "", 0o600
    return member
