"""Backup and restore: one file with everything a restore needs but SECRET_KEY, checked after it was written."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]  # what is going on, how much of it is done, out of how much


class Refused(Exception):
    """The backup cannot be made or used; the text says why and what to do. Nothing was changed."""
