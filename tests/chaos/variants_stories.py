"""What happens in the office, on good days and on bad ones. Each ends well in the portal as it is."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from types import SimpleNamespace

from portal.domain.change_orders import Overtaken
from portal.domain.mail import daily_summary
from portal.domain.people import Membership
from portal.domain.projects import sending
from tests.chaos.variants_office import TWO, Office, as_seen
from tests.processes import eventually

Cast = SimpleNamespace  # ana and lee approve, dee sends, ada may do both
Story = Callable[[Office, Cast], None]
THREE = (*TWO, ("16-2100", "SUB", "100.00"))
MONDAY_NOON = datetime(2027, 1, 4, 18, tzinfo=UTC)


def a_good_day(office: Office, cast: Cast) -> None:
    office.accepted(cast.ana, lines=TWO)
    office.rest()


def two_approvers(office: Office, cast: Cast) -> None:
    """Both look at the same page and press Accept."""
    change_order = office.accepted(cast.ana)
    office.press("accept", cast.lee, change_order)
    office.rest()


def a_writer_who_approves(office: Office, cast: Cast) -> None:
    change_order = office.make("draft")
    Membership.create(user=cast.ada, job=change_order.job)
    office.press("send", cast.ada, change_order)
    office.press("accept", cast.ada, as_seen(change_order))
    office.press("accept", cast.ana, as_seen(change_order))
    office.rest()


def a_change_of_mind(office: Office, cast: Cast) -> None:
    """Somebody rejects what is in Spectrum already."""
    change_order = office.accepted(cast.ana)
    office.rest()
    office.press("reject", cast.lee, as_seen(change_order), reason="Not this one")
    office.rest()


def an_edit_too_late(office: Office, cast: Cast) -> None:
    """The sender changes an amount on a page that was loaded before the Accept."""
    change_order = office.accepted(cast.ana)
    seen = as_seen(change_order)
    lines = [sending.LineDraft("16-2000", "SUB", seen.amount * 2)]
    with suppress(Overtaken):
        sending.edit(seen.id, cast.dee, seen.version, sending.Draft(seen.number, seen.title, "", lines))
    office.rest()


def two_change_orders(office: Office, cast: Cast) -> None:
    office.accepted(cast.ana)
    office.accepted(cast.lee, lines=(("03-3000", "SUB", "7.00"),))
    office.rest()


def a_torn_connection(office: Office, cast: Cast) -> None:
    """Spectrum took the line, and its answer is lost; sending again would double it."""
    office.simulator.options(repeat="append")
    office.simulator.fail("commit_then_reset", nth=1)
    office.accepted(cast.ana, lines=TWO)
    office.rest()


def a_late_commit(office: Office, cast: Cast) -> None:
    """Spectrum works on after the connection broke, for longer than a few looks take."""
    office.simulator.options(repeat="append")
    office.simulator.fail("commit_later", nth=1, seconds=600)
    office.accepted(cast.ana)
    office.work()
    for _ in range(4):
        office.clock.tick(seconds=61)
        office.work()
    office.simulator.control("release", {})
    eventually(lambda: all(call["outcome"] != "received" for call in office.simulator.journal()))
    office.rest()


def a_blind_moment(office: Office, cast: Cast) -> None:
    """The first reading after the quiet window shows nothing, though the line is there."""
    office.simulator.options(repeat="append", readback_company="XYZ")
    office.simulator.fail("commit_then_reset", nth=1)
    office.accepted(cast.ana)
    office.work()
    for minutes in (2, 16):
        office.clock.tick(minutes=minutes)
        office.work()
    office.simulator.options(readback_company="")
    office.rest()


def a_dropped_call(office: Office, cast: Cast) -> None:
    """Nothing reached the books, and nobody can know that at once."""
    office.simulator.fail("reset_before_commit", nth=1)
    office.accepted(cast.ana)
    office.rest()


def every_call_dropped(office: Office, cast: Cast) -> None:
    office.simulator.fail("reset_before_commit")
    office.accepted(cast.ana)
    office.rest()


def a_refused_line(office: Office, cast: Cast) -> None:
    office.simulator.fail("refuse", nth=2)
    office.accepted(cast.ana, lines=TWO)
    office.rest()


def killed_before_anything(office: Office, cast: Cast) -> None:
    office.kill_at("preflight.after")
    office.accepted(cast.ana)
    office.work()
    office.rest()


def killed_with_the_answer(office: Office, cast: Cast) -> None:
    """The worker dies between Spectrum's answer and the database."""
    office.after_answer = office.kill
    office.accepted(cast.ana)
    office.work()
    office.rest()


def killed_after_settling(office: Office, cast: Cast) -> None:
    office.kill_at("settle.after_commit")
    office.accepted(cast.ana, lines=TWO)
    office.work()
    office.rest()


def frozen_with_the_answer(office: Office, cast: Cast) -> None:
    """The worker stands still with Spectrum's answer in its hand, and is overtaken."""
    office.after_answer = office.another_works
    office.accepted(cast.ana)
    office.work()
    office.rest()


def frozen_between_lines(office: Office, cast: Cast) -> None:
    """The worker stands still after its first line; another sends the second and dies; then the first wakes up."""

    def overtaken() -> None:
        office.kill_at("settle.after_commit")
        office.another_works()

    office.points["settle.after_commit"] = overtaken
    office.accepted(cast.ana, lines=THREE)
    office.work()
    office.rest()


def sent_back(office: Office, cast: Cast) -> None:
    office.press("reject", cast.ana, office.make(), reason="Wrong cost type on line 1")
    office.deliver()
    office.rest()


def a_mail_worker_dies(office: Office, cast: Cast) -> None:
    """The mail server has the mail, and nobody is left to write that down."""
    office.press("reject", cast.ana, office.make(), reason="Wrong cost type on line 1")
    office.kill_at("mail.after_dot")
    office.deliver()
    office.rest()


def two_keepers_in_the_morning(office: Office, cast: Cast) -> None:
    office.make()
    office.clock.set(MONDAY_NOON)
    daily_summary.plan()
    daily_summary.plan()
    office.rest()
