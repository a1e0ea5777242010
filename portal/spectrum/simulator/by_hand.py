"""What a person types into Spectrum itself: a change request without any of the service's rules."""

from collections.abc import Mapping

from portal.spectrum.fields import FIELDS
from portal.spectrum.simulator.ledger import ATTACHED, KEYS

SETTABLE = {field.name for field in FIELDS[2:]} | set(ATTACHED)


def known(record: Mapping[str, str]) -> Mapping[str, str]:
    """`record`, if it has no unknown element. Raises ValueError."""
    if unknown := set(record) - SETTABLE:
        raise ValueError(f"A change request has no element {', '.join(sorted(unknown))}.")
    return record


def complete(record: Mapping[str, str]) -> dict[str, str]:
    """All elements, empty where not given. Raises ValueError for an unknown one or a key that is missing."""
    if missing := [name for name in KEYS if not known(record).get(name)]:
        raise ValueError(f"Give the keys too: {', '.join(missing)}.")
    return {**dict.fromkeys(SETTABLE, ""), **{name: str(value) for name, value in record.items()}}
