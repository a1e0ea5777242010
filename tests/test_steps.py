"""Rules that ask in steps: side by side they ask once for each step, and each is told what it asked."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from portal.db import database
from portal.db.rows import Shape, Statement, places, read
from portal.db.steps import Asks, Read, side_by_side, taken
from portal.domain.change_orders import ChangeOrder
from portal.domain.people import User
from tests.conftest import count_queries

pytestmark = pytest.mark.databases_differ("JSON, and how a row becomes it")

PEOPLE = Statement(Shape(User, "id", "name", "created_at", "can_push"), query=User.select)
AMOUNTS = Statement(Shape(ChangeOrder, "id", "amount", "dated", "sent_at"), query=ChangeOrder.select)


@Asks
def named(*names):
    """People by name, in one query."""
    if not names:
        return []
    (found,) = yield [PEOPLE.where(f"name IN {places(names)}", names)]
    return sorted(person.name for (person,) in found)


@Asks
def namesakes(name):
    """Those of the people whose name is that of the first one, in two queries."""
    ((person,),) = (yield [PEOPLE.where(f"name = {database.param}", [name])])[0]
    (found,) = yield [PEOPLE.where(f"name = {database.param}", [person.name])]
    return len(found)


def test_alone_a_rule_asks_for_itself(ana, ben):
    with count_queries() as sent:
        assert named(ana.name) == [ana.name]
        assert named() == []

    assert len(sent) == 1


def test_side_by_side_each_step_is_one_statement(ana, ben):
    with count_queries() as sent:
        found = taken(side_by_side(named.steps(ana.name), namesakes.steps(ben.name), named.steps(), named.steps(ben.name, ana.name)))

    assert found == [[ana.name], 1, [], sorted((ana.name, ben.name))]
    assert len(sent) == 2


def test_values_are_the_same_whether_a_rule_asks_alone_or_with_others(ana, change_order):
    ChangeOrder.update(dated=datetime(2026, 2, 3, tzinfo=UTC).date(), amount=Decimal("-4250.10")).execute()

    def values(rows):
        return [vars(model)["__data__"] for models in rows for model in models]

    @Asks
    def one():
        return (yield [AMOUNTS.where("TRUE")])

    @Asks
    def both():
        return (yield [AMOUNTS.where("TRUE"), PEOPLE.where(f"id = {database.param}", [ana.id])])

    ((alone,), (together, people)) = one(), both()

    assert values(together) == values(alone)
    assert values(together)[0]["amount"] == Decimal("-4250.10")
    assert values(people) == [{"id": ana.id, "name": ana.name, "created_at": ana.created_at, "can_push": True}]


def test_words_with_quotes_line_breaks_and_accents_come_back_as_they_are(ana, ben):
    name = 'Zoë "Z" O\'Neil\\\n\t– 100 %'
    User.update(name=name).where(User.id == ana.id).execute()

    @Asks
    def both():
        return (yield [read(User.select(User.name).where(User.id == ana.id)), Read("COUNT(id)", 'FROM "user"', ())])

    assert both() == [[[name]], [[2]]]


def test_a_rule_that_fails_fails_for_all(ana):
    @Asks
    def failing():
        yield [PEOPLE.where("TRUE")]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        taken(side_by_side(named.steps(ana.name), failing.steps()))
