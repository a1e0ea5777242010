"""Lines that Spectrum would take for one: found, and combined into one each with the total unchanged."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from portal.domain import keys
from portal.domain.projects.sending import LineDraft

LONGEST_DESCRIPTION = 500


@dataclass(frozen=True, slots=True)
class Repeat:
    """Lines of one cost code, cost type and bid item, by their positions 1, 2 ..., and the line that they become."""

    positions: list[int]
    becomes: LineDraft


def repeats(lines: Sequence[LineDraft]) -> list[Repeat]:
    """What can be combined. A line that still lacks its code, type or amount is left alone."""
    same: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for position, line in enumerate(lines, 1):
        key = _key(line)
        if key[0] and key[1] and line.amount is not None:
            same[key].append(position)
    return [Repeat(positions, _one(lines[at - 1] for at in positions)) for positions in same.values() if len(positions) > 1]


def combined(lines: Sequence[LineDraft]) -> list[LineDraft]:
    """The lines, each repeat in the place of its first one."""
    found = repeats(lines)
    first = {repeat.positions[0]: repeat.becomes for repeat in found}
    gone = {position for repeat in found for position in repeat.positions[1:]}
    return [first.get(position, line) for position, line in enumerate(lines, 1) if position not in gone]


def _key(line: LineDraft) -> tuple[str, str, str]:
    return keys.phase(line.phase_code), keys.cost_type(line.cost_type), keys.bid_item(line.bid_item)


def _one(lines: Iterable[LineDraft]) -> LineDraft:
    """Amounts added up; quantities too, where all have one in the same unit, else left out; each description once."""
    same = list(lines)
    units = {line.unit.strip() for line in same}
    quantities = [line.quantity for line in same if line.quantity is not None] if len(units) == 1 else []
    told = dict.fromkeys(line.description.strip() for line in same if line.description.strip())
    return LineDraft(
        phase_code=same[0].phase_code,
        cost_type=same[0].cost_type,
        bid_item=same[0].bid_item,
        amount=sum((line.amount for line in same if line.amount is not None), Decimal("0.00")),
        description="; ".join(told)[:LONGEST_DESCRIPTION],
        quantity=sum(quantities, Decimal(0)) if len(quantities) == len(same) else None,
        unit=units.pop() if len(quantities) == len(same) else "",
    )
