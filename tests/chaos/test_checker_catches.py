"""The checker finds nothing wrong with the portal as it is, and something with each of its broken variants."""

import pytest

from tests.chaos.checker import INVARIANTS
from tests.chaos.variants import VARIANTS

STORIES = sorted({variant.story for variant in VARIANTS}, key=lambda story: story.__name__)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_the_portal_as_it_is_breaks_nothing(office, cast, story):
    story(office, cast)

    assert [str(violation) for violation in office.violations()] == []


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_a_broken_portal_is_caught(office, cast, variant, monkeypatch):
    variant.break_it(monkeypatch, office)

    variant.story(office, cast)

    found = {violation.invariant for violation in office.violations()}
    assert set(variant.caught_by) <= found, office.violations()


def test_every_invariant_can_fail():
    caught = {name for variant in VARIANTS for name in variant.caught_by}

    assert caught == {invariant.__name__ for invariant in INVARIANTS}
