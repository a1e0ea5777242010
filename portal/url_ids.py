"""Ids and counts from a browser: one spelling each, and none that the database could not hold."""

import re

from flask import request
from flask.blueprints import BlueprintSetupState
from werkzeug.routing import BaseConverter

ID = re.compile("[1-9][0-9]{0,17}", re.ASCII)
COUNT = re.compile("[0-9]{1,9}", re.ASCII)


class Key(BaseConverter):
    """`<key:id>`: 1, 2, 3 ... up to 18 ASCII digits. Flask's own `int` also takes 01, ١٢ and numbers without end."""

    regex = ID.pattern

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


def register(state: BlueprintSetupState) -> None:
    """For `Blueprint.record`: the converter has to be known before the blueprint's first address."""
    state.app.url_map.converters["key"] = Key


def confirmed() -> int:
    """How many accepted change orders the person was told of, and ticked."""
    told = request.form.get("confirmed", "")
    return int(told) if COUNT.fullmatch(told) else 0
