"""Parts of pages that are kept while nothing is written to the database; form tokens are put in afterwards."""

import secrets
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from flask import Flask, current_app, g, request, session
from markupsafe import Markup

from portal.db import memory as db_memory
from portal.db import reads
from portal.web.visitors import me

Value = TypeVar("Value")
ROWS = "kept_rows"
TOKEN = f"form-token-{secrets.token_hex(16)}"  # stands in kept text where the token goes: no one can have typed it


MOST_ROWS = 400  # in a process, about 25 kB each with their keys
REMEMBERING = {"change_orders.index"}  # they write nothing


def init_app(app: Flask) -> None:
    app.before_request(begin)
    app.extensions[ROWS] = db_memory.Memory(most=MOST_ROWS)
    app.jinja_env.globals["kept"] = kept
    app.jinja_env.globals["form_token"] = form_token


def begin() -> None:
    """Before the request reads anything."""
    if request.endpoint in REMEMBERING:
        g.memory = db_memory.begin()


def remembered(key: Hashable, work: Callable[[], Value]) -> Value:
    """The result of `work`, which depends on the database, the key and watched time alone: worked out once per answer at most, and
    from memory where the request has one."""
    if "remembered" not in g:
        g.remembered = {}
    known: dict[Hashable, db_memory.Result] = g.remembered
    if key in known:
        db_memory.use(known[key])
    else:
        memory: db_memory.Memory | None = g.get("memory")
        known[key] = memory.result(key, work) if memory else db_memory.worked_out(work)
    value: Value = known[key].value
    return value


def page(render: Callable[[], str]) -> str:
    """A whole page, with this answer's token in its forms. It depends on the database, the person, the address and watched time alone.

    What is told once, after a decision, is no part of any other answer.
    """
    if "_flashes" in session:
        return render()
    key = "page", person(), request.full_path
    return _with_token(remembered(key, lambda: tuple(_without_token(render).split(TOKEN))))


def person() -> Hashable:
    """All that an answer may show of the person, or take from their rights."""
    values = me().__data__
    return me().is_proved, *(value for name, value in values.items() if name != "last_active_at")


def kept(name: str, given: Mapping[str, Any], *more: Hashable) -> Markup:
    """The template with what it is given, and `more` that it reads; rendered again only when one of all these values is another."""
    memory: db_memory.Memory = current_app.extensions[ROWS]
    if "values" not in g:
        g.values = {}
    key = name, *more, *(db_memory.values_of(value, g.values) for value in given.values())
    template = current_app.jinja_env.get_template(name)
    with reads.unnoted():  # what it reads is in the key
        pieces = memory.get(key, lambda: tuple(_without_token(lambda: template.render(given)).split(TOKEN)))
    return Markup(_with_token(pieces))  # noqa: S704 -- rendered by a template


def form_token() -> str:
    """The token that a form carries; its place while text is rendered to be kept."""
    if g.get("leaves_token_out"):
        return TOKEN
    token: str = current_app.jinja_env.globals["csrf_token"]()  # type: ignore[operator]
    return token


def _with_token(pieces: tuple[str, ...]) -> str:
    return form_token().join(pieces) if len(pieces) > 1 else pieces[0]


def _without_token(render: Callable[[], str]) -> str:
    with _leaving_token_out():
        return render()


@contextmanager
def _leaving_token_out() -> Iterator[None]:
    before, g.leaves_token_out = g.get("leaves_token_out", False), True
    try:
        yield
    finally:
        g.leaves_token_out = before
