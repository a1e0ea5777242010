"""What a broken variant is: the defect, what has to happen for it to do harm, and the invariants it breaks."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.chaos.variants_office import Office
from tests.chaos.variants_stories import Story

Patch = pytest.MonkeyPatch
Break = Callable[[Patch, Office], None]
VARIANTS: list["Variant"] = []


@dataclass(frozen=True)
class Variant:
    break_it: Break
    story: Story
    caught_by: tuple[str, ...]

    def __str__(self) -> str:
        return self.break_it.__name__


def variant(story: Story, *caught_by: str) -> Callable[[Break], Break]:
    """Keep the function, which breaks something, among the variants."""

    def add(break_it: Break) -> Break:
        VARIANTS.append(Variant(break_it, story, caught_by))
        return break_it

    return add
