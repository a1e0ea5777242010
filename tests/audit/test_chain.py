"""The audit trail is as it was written, or the verifier says what is wrong with which event."""

import json
import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import peewee
import psycopg
import pytest

from portal import db
from portal.background import keeper
from portal.domain import companies, events
from portal.domain.audit import chain, heads
from portal.domain.events import GENESIS, Event

pytestmark = pytest.mark.databases_differ("constraints and triggers")

TRIGGERS = ("event_unchanged", "event_kept", "event_not_replaced")


@pytest.fixture
def trail(database, company):
    """Seven events."""
    with db.transaction():
        for number in range(1, 8):
            events.record("change_order", number, "accepted", None, number=f"S014-00{number}", total="12.50")
    return database


@pytest.fixture
def by_hand(trail):
    """Somebody who owns the database: drops the triggers and does what they like."""
    for name in TRIGGERS if db.is_sqlite() else ():
        trail.execute_sql(f"DROP TRIGGER {name}")
    for name in () if db.is_sqlite() else TRIGGERS[:2]:
        trail.execute_sql(f"DROP TRIGGER {name} ON event")
    return trail.execute_sql


def rehashed(first):
    """Hash everything anew from event `first` on, as somebody would who knows how."""
    previous = Event.get_or_none(Event.seq == first - 1)
    last = previous.hash if previous else GENESIS
    for event in Event.select().where(Event.seq >= first).order_by(Event.seq):
        event.previous = last
        event.hash = last = event.seal()
        Event.update(previous=event.previous, hash=event.hash).where(Event.seq == event.seq).execute()


def test_a_trail_as_it_was_written_has_all_its_events_and_a_head(trail):
    verdict = chain.verify()

    assert (verdict.events, verdict.fault) == (7, None)
    assert verdict.hash == Event.get(Event.seq == 7).hash == chain.head().hash


def test_an_empty_trail_is_as_it_was_written(database):
    assert chain.verify([chain.head()]) == chain.Verdict(0, GENESIS, None, 1, chain.head())


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("data", '{"number":"S014-003","total":"99.50"}'),
        ("action", "rejected"),
        ("actor_id", None),
        ("ref", 4),
        ("subject", "user"),
        ("at", "2001-01-01 00:00:00"),
        ("hash", "0" * 64),
    ],
)
def test_a_changed_event_is_named(by_hand, ana, column, value):
    old = "" if column != "actor_id" else f", actor_id = {ana.id}"
    by_hand(f"UPDATE event SET {column} = {'NULL' if value is None else repr(value)}{old and ', ref = 99'} WHERE seq = 3")

    verdict = chain.verify()

    assert verdict.events == 2
    assert verdict.fault == chain.Fault(3, "The content of event 3 was changed after it was recorded: it does not match its hash.")


def test_an_event_of_which_no_event_can_be_made_is_named(by_hand):
    if not db.is_sqlite():
        return  # PostgreSQL takes nothing but a time for a time
    by_hand("UPDATE event SET at = 'yesterday' WHERE seq = 3")

    assert chain.verify().fault == chain.Fault(3, "Event 3 cannot be read: it was changed after it was recorded.")


def test_a_removed_event_is_named(by_hand):
    by_hand("DELETE FROM event WHERE seq = 3")

    assert chain.verify().fault == chain.Fault(3, "Event 3 is missing: deleted after being recorded.")


def test_several_removed_events_are_named(by_hand):
    by_hand("DELETE FROM event WHERE seq < 4")

    assert chain.verify().fault == chain.Fault(1, "Events 1 to 3 are missing: deleted after being recorded.")


def test_removed_and_renumbered_is_a_changed_content(by_hand):
    by_hand("DELETE FROM event WHERE seq = 3")
    for seq in range(4, 8):
        by_hand(f"UPDATE event SET seq = {seq - 1} WHERE seq = {seq}")

    assert "content of event 3 was changed" in chain.verify().fault.text


def test_an_event_replaced_with_its_own_hash_made_anew_breaks_the_link_after_it(by_hand):
    by_hand("UPDATE event SET action = 'rejected' WHERE seq = 3")
    event = Event.get(Event.seq == 3)
    by_hand(f"UPDATE event SET hash = '{event.seal()}' WHERE seq = 3")

    assert chain.verify().fault == chain.Fault(4, "Event 4 does not continue event 3: it was put in, or what comes before it was replaced.")


def test_an_event_put_in_before_the_first_is_named(by_hand):
    by_hand(
        "INSERT INTO event (seq, at, subject, ref, action, data, previous, hash) "
        f"VALUES (0, '2001-01-01 00:00:00', 'user', 1, 'x', '{{}}', '{GENESIS}', 'h')"
    )

    assert chain.verify().fault.seq == 0


def test_an_end_that_was_cut_off_shows_in_the_heads_only(by_hand):
    heads = [chain.Head("2026-11-21", 2, Event.get(Event.seq == 2).hash), chain.Head("2026-11-22", 7, chain.head().hash)]
    by_hand("DELETE FROM event WHERE seq > 5")

    assert chain.verify().fault is None
    verdict = chain.verify(heads)
    assert verdict.fault == chain.Fault(6, "The trail ends with event 5, but event 7 was written out on 2026-11-22: its end was cut off.")
    assert (verdict.events, verdict.compared) == (5, 1)


def test_a_trail_hashed_anew_shows_in_the_heads_only(by_hand):
    heads = [chain.Head("2026-11-22", 6, Event.get(Event.seq == 6).hash)]
    by_hand("UPDATE event SET action = 'rejected' WHERE seq = 3")
    rehashed(3)

    assert chain.verify().fault is None
    assert chain.verify(heads).fault == chain.Fault(
        6, "Event 6 is not the one that was written out on 2026-11-22: the trail was replaced up to there and hashed again."
    )


def test_a_trail_longer_than_a_batch_is_walked_to_its_end(trail, monkeypatch):
    monkeypatch.setattr(chain, "BATCH", 3)

    assert chain.verify([chain.head()]).events == 7


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET action = 'rejected' WHERE seq = 3",
        "DELETE FROM event WHERE seq = 7",
        "DELETE FROM event",
        "INSERT OR REPLACE INTO event SELECT seq, at, actor_id, subject, ref, 'rejected', data, previous, hash FROM event WHERE seq = 3",
        "INSERT OR REPLACE INTO event SELECT 8, at, actor_id, subject, ref, action, data, previous, hash FROM event WHERE seq = 3",
    ],
)
def test_the_database_itself_refuses_to_change_or_remove_an_event(trail, statement):
    if "REPLACE" in statement and not db.is_sqlite():
        statement = "TRUNCATE event CASCADE"

    with pytest.raises((peewee.IntegrityError, peewee.DatabaseError, psycopg.Error), match="append-only"), db.transaction():
        trail.execute_sql(statement)

    assert chain.verify().events == 7


def test_a_shell_beside_the_portal_is_refused_too(trail):
    if not db.is_sqlite():
        return  # the statements above went to the server, which knows no shells
    with sqlite3.connect(trail.database) as shell, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        shell.execute("DELETE FROM event WHERE seq = 7")


def test_the_head_is_written_out_once_an_hour_whatever_happens_that_hour(trail, tmp_path, clock):
    file = tmp_path / "new" / "heads.jsonl"
    first = heads.write_head(file)
    with db.transaction():
        events.record("change_order", 8, "accepted", None)

    assert heads.write_head(file) is None
    clock.tick(hours=1)
    second = heads.write_head(file)

    assert heads.read_heads(file) == [first, second]
    assert (first.seq, second.seq) == (7, 8)
    assert chain.verify(heads.read_heads(file)).compared == 2


def test_of_the_hour_that_comes_twice_when_clocks_are_set_back_each_has_its_head(trail, tmp_path, clock):
    clock.set(datetime(2026, 11, 1, 6, 40, tzinfo=UTC))  # 1:40 in Chicago, for the first time
    first = heads.write_head(tmp_path / "heads.jsonl")
    clock.tick(hours=1)
    second = heads.write_head(tmp_path / "heads.jsonl")

    assert (first.date, second.date) == ("2026-11-01 01:00 -0500", "2026-11-01 01:00 -0600")


def test_the_hour_of_a_head_is_the_company_s(trail, tmp_path, clock):
    companies.Company.update(time_zone="Pacific/Auckland").execute()
    clock.set(datetime(2026, 11, 23, 11, 30, tzinfo=UTC))  # 00:30 of the 24th over there

    assert heads.write_head(tmp_path / "heads.jsonl").date == "2026-11-24 00:00 +1300"


def test_no_head_follows_one_that_the_trail_does_not_hold_any_more(by_hand, tmp_path, clock, monkeypatch):
    file, told = tmp_path / "heads.jsonl", []
    monkeypatch.setattr(keeper, "log", SimpleNamespace(error=lambda event, **facts: told.append((event, facts["fault"]))))
    written = heads.write_head(file)
    clock.tick(hours=1)
    by_hand("DELETE FROM event WHERE seq > 5")

    keeper.write_head(file)

    assert heads.read_heads(file) == [written]
    said = f"The trail ends with event 5, but event 7 was written out on {written.date}: its end was cut off."
    assert told == [("audit trail not as it was written", said)]


def test_no_head_follows_one_whose_event_was_hashed_anew(by_hand, tmp_path, clock):
    file = tmp_path / "heads.jsonl"
    heads.write_head(file)
    clock.tick(hours=1)
    by_hand("UPDATE event SET action = 'rejected' WHERE seq = 3")
    rehashed(3)

    with pytest.raises(chain.Broken, match="Event 7 is not the one that was written out on"):
        heads.write_head(file)


def test_the_first_head_of_an_empty_trail_is_held_by_every_longer_one(database, company, tmp_path, clock):
    first = heads.write_head(tmp_path / "heads.jsonl")
    clock.tick(hours=1)
    with db.transaction():
        events.record("change_order", 1, "accepted", None)

    assert (first.seq, heads.write_head(tmp_path / "heads.jsonl").seq) == (0, 1)


def test_the_verdict_names_what_no_head_covers(trail):
    uncovered, covered = chain.verify(), chain.verify([chain.head()])
    with db.transaction():
        events.record("change_order", 8, "accepted", None)

    assert "Not vouched for: the last 7 events, which no head covers." in uncovered.unvouched[0]
    assert not [sentence for sentence in covered.unvouched if "no head covers" in sentence]
    assert "the last 1 event, which" in chain.verify([covered.last]).unvouched[0]


def test_any_number_of_keepers_write_one_head_an_hour(trail, database_url, tmp_path):
    file, barrier, written = tmp_path / "heads.jsonl", threading.Barrier(8), []

    def keep():
        with db.connected():
            barrier.wait()
            written.append(heads.write_head(file))

    keepers = [threading.Thread(target=keep) for _ in range(8)]
    for thread in keepers:
        thread.start()
    for thread in keepers:
        thread.join()

    assert len(list(filter(None, written))) == len(file.read_text().splitlines()) == 1


@pytest.mark.parametrize("torn", ['{"date": "2026-11-', '{"date": "2026-11-22", "seq": 3, "hash": "ab'])
def test_what_a_keeper_that_died_left_of_a_line_does_no_harm(trail, tmp_path, torn):
    file = tmp_path / "heads.jsonl"
    file.write_text(torn)

    written = heads.write_head(file)

    assert heads.read_heads(file) == [written]


@pytest.mark.parametrize("line", ['{"some": "json"}', "three words here", "[]", "17"])
def test_a_file_that_holds_no_heads_is_told_and_not_written_to(trail, tmp_path, line):
    file = tmp_path / "heads.jsonl"
    file.write_text(f"{line}\n")

    with pytest.raises(heads.Unreadable, match="The last line of .* is not the head of an audit trail"):
        heads.write_head(file)

    assert file.read_text() == f"{line}\n"


def test_the_keeper_says_the_head_and_lives_on_where_it_cannot_write(trail, tmp_path, monkeypatch):
    told = []
    heard = SimpleNamespace(info=lambda event, **facts: told.append((event, facts["hash"])), error=lambda event, **_: told.append(event))
    monkeypatch.setattr(keeper, "log", heard)

    keeper.write_head(tmp_path / "heads.jsonl")
    keeper.write_head(tmp_path / "heads.jsonl" / "no folder")

    assert told == [("audit head", chain.head().hash), "audit head not written"]


def test_a_refused_decision_leaves_no_trace_in_the_trail(trail):
    with pytest.raises(ZeroDivisionError), db.transaction():
        events.record("change_order", 8, "accepted", None)
        raise ZeroDivisionError

    assert chain.verify().events == 7


def test_events_keep_their_order_when_the_clock_runs_backwards(trail, clock):
    clock.tick(days=-400)
    with db.transaction():
        events.record("change_order", 8, "accepted", None)

    assert chain.verify().events == 8
    assert Event.get(Event.seq == 8).at < Event.get(Event.seq == 7).at - timedelta(days=399)


def test_a_head_as_a_line_can_be_read_back(trail, tmp_path):
    file = tmp_path / "elsewhere.jsonl"
    file.write_text(heads.line(chain.head()) + "\n")

    assert heads.read_heads(file) == [chain.head()]
    assert json.loads(heads.line(chain.head()))["seq"] == 7
