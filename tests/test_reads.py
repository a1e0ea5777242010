"""What a result was read from: it is kept while all of that would be read the same, and never where that cannot be told."""

import pytest

from portal.db import reads
from portal.db.memory import Memory
from portal.domain.people import User

pytestmark = pytest.mark.databases_differ("what a statement finds")

NAMES = 'SELECT name FROM "user" ORDER BY id'


@pytest.fixture
def asked():
    """How often the results below were worked out."""
    return []


def names(asked):
    asked.append(1)
    return [name for (name,) in reads.fetched(NAMES)]


def later(memory, stamp):
    """The same memory after someone wrote."""
    return Memory((memory.stamp[0], stamp), results=memory.results)


@pytest.fixture
def memory(database):
    return Memory(("database", 1))


def test_a_result_is_kept_while_its_statements_find_the_same(memory, ana, asked):
    first = memory.get("names", lambda: names(asked))

    assert later(memory, 2).get("names", lambda: names(asked)) == first
    assert memory.results["names"].stamp == ("database", 2)


def test_it_is_worked_out_again_when_one_finds_something_else(memory, ana, asked):
    memory.get("names", lambda: names(asked))
    User.update(name="Another").execute()

    assert later(memory, 2).get("names", lambda: names(asked)) == ["Another"]


def test_a_statement_past_the_notes_makes_it_worked_out_again(memory, ana, asked):
    def stray():
        asked.append(1)
        return User.select().count()

    memory.get("count", stray)
    later(memory, 2).get("count", stray)

    assert len(asked) == 2
    assert not memory.results["count"].reads.are_same


def test_a_result_rests_on_what_the_results_in_it_read(memory, ana, ben, asked):
    def outer():
        return [*memory.get("names", lambda: names(asked)), "."]

    memory.get("outer", outer)
    User.update(name="Another").where(User.id == ana.id).execute()
    after = later(memory, 2)

    assert after.get("outer", lambda: [*after.get("names", lambda: names(asked)), "."])[0] == "Another"


def test_a_result_that_was_kept_before_is_noted_too(memory, ana, asked):
    memory.get("names", lambda: names(asked))
    memory.get("outer", lambda: memory.get("names", lambda: names(asked)))

    assert list(memory.results["outer"].reads.noted) == [(NAMES, ())]


def test_what_finds_two_things_in_one_result_is_never_the_same():
    one = reads.Reads()
    one.note((NAMES, ()), [("Ana",)])
    one.note((NAMES, ()), [("Ben",)])

    assert one.strays == 1
    assert not one.are_same


def test_looking_again_sends_each_statement_once(memory, ana, asked):
    memory.get("names", lambda: names(asked))
    User.update(name="Another").execute()

    with reads.once(), reads.noted() as noted:
        before = reads.fetched(NAMES)
        User.update(name="A third").execute()
        again = reads.fetched(NAMES)

    assert again is before
    assert noted.strays == 1  # the write
