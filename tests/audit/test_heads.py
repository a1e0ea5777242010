"""The file of heads of the audit trail is read at its end only; gone, unreadable or contradicted, it is told to administrators."""

import io

import pytest

from portal import db
from portal.background import keeper, tasks
from portal.domain import events
from portal.domain.audit import heads
from portal.domain.heartbeats import Heartbeat
from portal.domain.lanes import MAIL
from portal.domain.outbox import Dispatch, Task
from tests.audit.test_chain import by_hand, trail  # noqa: F401
from tests.conftest import count_queries, sign_in
from tests.mail_server import mail_server  # noqa: F401
from tests.worker import letter

pytestmark = pytest.mark.databases_differ("constraints and triggers")

STRIP = "The audit trail is in doubt since"


@pytest.fixture
def file(tmp_path):
    return tmp_path / heads.HEADS


@pytest.fixture
def kept(trail, eve, file, clock):  # noqa: F811
    """A head was written an hour ago."""
    keeper.write_head(file)
    clock.tick(hours=1)
    return file


def told():
    return list(Dispatch.select().where(Dispatch.task == Task.AUDIT).order_by(Dispatch.id))


def cut_off(file, by_hand):  # noqa: F811
    by_hand("DELETE FROM event WHERE seq > 5")
    return "The trail ends with event 5, but event 7 was written out on"


def remove(file, _):
    file.unlink()
    return NO_HEAD


def holding(text, said):
    """The harm of a file that holds only this, and what is said of it."""

    def write(file, _):
        file.write_text(text)
        return said

    return write


def bury(file, _):
    """The file is a folder, which nobody reads as a file."""
    file.unlink()
    file.mkdir()
    return "cannot be read or written: Is a directory."


NO_HEAD, NOT_A_HEAD = "is gone or holds no head, although some were written into it", "is not the head of an audit trail"
WRITTEN = {
    "empty": ("", NO_HEAD),
    "torn": ('{"date": "2026-11-', NO_HEAD),
    "garbled": ("remember the milk\n", NOT_A_HEAD),
    "exaggerated": ('{"date": "2026-11-22 10:00", "seq": 1e400, "hash": "ab"}\n', NOT_A_HEAD),
    "overflowing": ('{"date": "2026-11-22 10:00", "seq": 9223372036854775808, "hash": "ab"}\n', NOT_A_HEAD),
}
DOUBTS = [cut_off, remove, bury, *(pytest.param(holding(*of), id=name) for name, of in WRITTEN.items())]


@pytest.mark.parametrize("harm", DOUBTS)
def test_each_administrator_is_told_once_by_mail(kept, by_hand, eve, ada, sam, clock, harm):  # noqa: F811
    said = harm(kept, by_hand)

    for _ in range(3):
        keeper.write_head(kept)
        clock.tick(hours=1)

    assert sorted(mail.subject for mail in told()) == sorted([eve.id, ada.id])
    assert said in letter(told()[0]).text


@pytest.mark.parametrize("harm", DOUBTS)
def test_administrators_see_it_on_every_page_and_nobody_else_does(kept, by_hand, client, ana, eve, harm):  # noqa: F811
    said = harm(kept, by_hand)
    keeper.write_head(kept)

    page = sign_in(client, eve).get("/projects").text
    assert STRIP in page
    assert said in page
    client.post("/sign-out")
    assert STRIP not in sign_in(client, ana).get("/projects").text


def test_it_is_told_again_after_it_was_good_in_between(kept, client, eve, clock):
    content = kept.read_bytes()
    for _ in range(2):
        kept.unlink()
        keeper.write_head(kept)
        clock.tick(minutes=5)
        kept.write_bytes(content)
        keeper.write_head(kept)
        clock.tick(minutes=5)

    assert len(told()) == 2
    assert STRIP not in sign_in(client, eve).get("/projects").text


def test_a_trail_that_does_not_fit_is_told_also_while_the_file_was_in_doubt(kept, by_hand):  # noqa: F811
    content = kept.read_bytes()
    kept.unlink()
    keeper.write_head(kept)
    kept.write_bytes(content)
    cut_off(kept, by_hand)

    keeper.write_head(kept)

    assert len(told()) == 2


def test_no_new_file_takes_the_place_of_one_that_is_gone_before_somebody_begins_it(kept, clock):
    kept.unlink()
    keeper.write_head(kept)
    assert not kept.exists()

    kept.write_text(heads.line(heads.chain.head()) + "\n")
    clock.tick(hours=1)
    keeper.write_head(kept)

    assert len(heads.read_heads(kept)) == 2
    assert not heads.in_doubt(Heartbeat.select())


def test_a_head_that_could_never_be_written_is_told_and_the_first_one_is_after(trail, eve, file):  # noqa: F811
    file.mkdir()
    keeper.write_head(file)
    assert len(told()) == 1

    file.rmdir()
    keeper.write_head(file)

    assert len(heads.read_heads(file)) == 1
    assert not heads.in_doubt(Heartbeat.select())


def test_a_trail_that_is_replaced_within_the_hour_of_a_head_is_told_within_it(trail, eve, file, by_hand):  # noqa: F811
    keeper.write_head(file)
    cut_off(file, by_hand)

    keeper.write_head(file)

    assert len(told()) == 1


def test_the_mail_says_what_was_wrong_also_when_all_is_well_again(kept, make_app, mail_server):  # noqa: F811
    content = kept.read_bytes()
    kept.unlink()
    keeper.write_head(kept)
    kept.write_bytes(content)
    keeper.write_head(kept)

    with make_app(SMTP_HOST="127.0.0.1", SMTP_PORT=mail_server.port).app_context():
        tasks.drain(MAIL)

    (mail,) = mail_server.mails
    text = mail.get_body(("plain",)).get_content()
    assert mail["Subject"] == "The audit trail of the CCO Portal is in doubt"
    assert "is gone or holds no head" in text
    assert "Meanwhile the trail and its file of heads fit again." in text
    assert "/settings/audit/verification" in text


def test_nothing_is_recorded_in_a_trail_that_is_in_doubt(kept, by_hand):  # noqa: F811
    cut_off(kept, by_hand)
    before = events.Event.select().count()

    keeper.write_head(kept)

    assert events.Event.select().count() == before


def test_strip_and_silence_of_the_keeper_are_asked_for_at_once(kept, client, eve):
    kept.unlink()
    keeper.write_head(kept)
    sign_in(client, eve)

    with count_queries() as asked:
        client.get("/projects")

    assert len([sql for sql in asked if "heartbeat" in sql]) == 1


def test_a_keeper_that_finds_all_well_writes_nothing(kept):
    keeper.write_head(kept)

    with count_queries() as asked:
        keeper.write_head(kept)

    assert not [sql for sql in map(str, asked) if "INSERT" in sql or "UPDATE" in sql]


class Counting(io.BytesIO):
    """A file that knows how much of it was read."""

    name, been_read = "heads", 0

    def read(self, size=-1):
        content = super().read(size)
        self.been_read += len(content)
        return content


@pytest.mark.parametrize("torn", ["", '{"date": "2026-11-', '\n{"date": "20\n\n{"date'])
def test_of_a_long_file_only_the_end_is_read_and_its_last_whole_line_counts(torn):
    lines = [heads.line(heads.Head(f"day {number}", number, "ab" * 32)) for number in range(20_000)]
    file = Counting(("\n".join(lines) + "\n" + torn).encode())

    last, is_torn = heads._end(file)

    assert (last.seq, is_torn) == (19_999, bool(torn))
    assert file.been_read <= heads.TAIL


def test_a_long_file_whose_end_has_no_head_is_unreadable(tmp_path):
    with pytest.raises(heads.Unreadable, match="The last line of heads is not the head"):
        heads._end(Counting(heads.line(heads.Head("day", 1, "ab")).encode() + b"\n" * 5000))


def test_the_long_file_of_a_keeper_that_died_goes_on(kept, clock):
    kept.write_bytes(kept.read_bytes() * 100 + b'{"date": "2026-')

    keeper.write_head(kept)

    assert len(heads.read_heads(kept)) == 101


def test_an_event_that_cannot_be_read_does_not_stop_the_keeper(kept, by_hand):  # noqa: F811
    if not db.is_sqlite():
        return  # PostgreSQL takes nothing but a time for a time
    by_hand("UPDATE event SET at = 'yesterday' WHERE seq = 7")

    keeper.write_head(kept)

    assert len(heads.read_heads(kept)) == 2
