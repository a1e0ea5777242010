"""Hooks for `json.loads`: every field once and every number a number. Which of two values counts would be a guess."""

from typing import Any, NoReturn


class RepeatedField(ValueError):
    """An object has the field twice."""

    def __init__(self, field: str) -> None:
        super().__init__(f"The field {field[:60]!a} is given more than once.")
        self.field = field


class NotANumber(ValueError):
    """NaN or Infinity, which Python reads and JSON does not have."""


def fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """For `object_pairs_hook`. Raises RepeatedField."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise RepeatedField(name)
        found[name] = value
    return found


def no_constant(name: str) -> NoReturn:
    """For `parse_constant`. Raises NotANumber."""
    raise NotANumber(f"{name} is not a number that JSON has.")
