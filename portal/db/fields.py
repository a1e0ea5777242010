"""Kinds of columns: money as whole cents, moments in UTC, decimals of any precision."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import peewee


class MoneyField(peewee.BigIntegerField):
    """US dollars: a Decimal with two places in Python, whole cents in the table."""

    def db_value(self, value: Decimal | None) -> int | None:
        """Cents. Raises ValueError for a fraction of a cent: money is never rounded silently."""
        if value is None:
            return None
        cents = value.scaleb(2)
        if cents != int(cents):
            raise ValueError(f"{value} has a fraction of a cent")
        return int(cents)

    def python_value(self, value: int | None) -> Decimal | None:
        return None if value is None else cents(value)


class UtcField(peewee.DateTimeField):
    """An aware moment in Python, its UTC wall time in the table."""

    def db_value(self, value: datetime | None) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def python_value(self, value: Any) -> datetime | None:
        naive: datetime | None = datetime.fromisoformat(value) if isinstance(value, str) else value
        return None if naive is None else naive.replace(tzinfo=UTC)


class ExactField(peewee.CharField):
    """A Decimal of any precision, kept as its text: no column type of SQLite holds one exactly."""

    def db_value(self, value: Decimal | None) -> str | None:
        return None if value is None else f"{value:f}"

    def python_value(self, value: str | None) -> Decimal | None:
        return None if value is None else Decimal(value)


def cents(value: int) -> Decimal:
    """A sum that SQL gave in whole cents, as dollars."""
    return Decimal(int(value)).scaleb(-2)
