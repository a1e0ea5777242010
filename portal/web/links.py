"""Addresses that stand in every row of a list: making one takes longer than the rest of a cell, so each is made once, for any id."""

import secrets
from functools import lru_cache
from typing import Any

from flask import Flask, request, url_for

ANY_ID = 10**17 + secrets.randbelow(9 * 10**17)  # no one can know it, to put it into an address


def init_app(app: Flask) -> None:
    app.jinja_env.globals.update(link=link, icons=icons)


def link(endpoint: str, id: int, **query: str | None) -> str:
    """As `url_for`, for addresses that differ in their id."""
    return _pattern(request.script_root, endpoint, tuple(query.items())).replace(str(ANY_ID), str(id))


def icons() -> str:
    """The file of icons."""
    return _file(request.script_root, "icons.svg")


@lru_cache(maxsize=500)
def _pattern(_: str, endpoint: str, query: tuple[tuple[str, Any], ...]) -> str:
    return url_for(endpoint, id=ANY_ID, **dict(query))


@lru_cache(maxsize=10)
def _file(_: str, name: str) -> str:
    return url_for("static", filename=name)
