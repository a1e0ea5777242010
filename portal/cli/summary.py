"""`portal summary`: the daily summary by hand."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import click

from config import Settings
from portal import cli, db
from portal.domain import people
from portal.domain.companies import Company, current
from portal.domain.lanes import MAIL
from portal.domain.mail import daily_summary
from portal.domain.outbox import Dispatch, DispatchOutcome
from portal.domain.people import User


@click.group()
def summary() -> None:
    """The daily summary of what waits for each approver."""


@summary.command()
@click.option("--dry-run", is_flag=True, help="show what would go to whom; send and record nothing")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="the day it is for; other than today with --dry-run only")
@click.option("--to", metavar="EMAIL", help="to this person alone")
@cli.json_option
def send(dry_run: bool, day: datetime | None, to: str | None, as_json: bool) -> None:
    """Send today's summaries that are due and did not go yet: each once, whatever the keeper does."""
    from portal import create_app  # a command of its own weight

    settings = cli.settings()
    app = create_app(settings)
    with app.app_context(), db.connected():
        company = current()
        wanted = day.date() if day else daily_summary.today(company)
        to_whom = [_recipient(to)] if to else daily_summary.recipients()
        if dry_run:
            _show(settings, company, wanted, to_whom, as_json)
        else:
            _send(company, wanted, to_whom, as_json)


def _recipient(email: str) -> User:
    person = people.find(email)
    if person is None:
        raise cli.Refusal(f"There is no account with the address {email}.")
    if why := daily_summary.why_not(person):
        raise cli.Refusal(f"{email} gets no daily summary: {why}.")
    return person


def _show(settings: Settings, company: Company, day: date, to_whom: list[User], as_json: bool) -> None:
    """What would go if it went now."""
    said = [f"A dry run: nothing is sent or recorded. {_when(company, day)}"]
    if not to_whom:
        said.append("No one gets a daily summary: no active approver wants it.")
    mails = {person.email: _mail(settings, day, person) for person in to_whom}
    for person in to_whom:
        said.append(mails[person.email] or f"\nTo {person.name} <{person.email}>: nothing, because nothing waits.")
    cli.tell(as_json, said, day=day, dry_run=True, mails=mails)


def _mail(settings: Settings, day: date, person: User) -> str:
    """Empty where nothing waits."""
    from portal import messages

    found = daily_summary.of(daily_summary.key(day, person.id), person)
    if not found.count:
        return ""
    message = messages.daily_summary(settings, found)
    text = message.get_body(("plain",))
    return f"\nTo: {message['To']}\nSubject: {message['Subject']}\n\n{text.get_content() if text else ''}"


def _send(company: Company, day: date, to_whom: list[User], as_json: bool) -> None:
    """Promise what is due, and work through the mail as the worker would."""
    from portal import clock
    from portal.background import tasks

    today = daily_summary.today(company)
    if day != today:
        raise cli.Refusal(f"Only the summary of today, {today}, can be sent. Use --dry-run to look at another day.")
    due = daily_summary.due_at(company, day)
    if due is None or clock.now() < due:
        cli.tell(as_json, [f"Nothing is due. {_when(company, day)}"], day=day, dry_run=False, mails={})
        return
    daily_summary.plan(to_whom)
    tasks.drain(MAIL)
    mails = {person.email: _outcome(Dispatch.get(Dispatch.key == daily_summary.key(day, person.id))) for person in to_whom}
    cli.tell(as_json, [f"{email}: {outcome}" for email, outcome in mails.items()], day=day, dry_run=False, mails=mails)


def _when(company: Company, day: date) -> str:
    due = daily_summary.due_at(company, day)
    if due:
        return f"The summary of {day} goes at {due.astimezone(ZoneInfo(company.time_zone)):%H:%M %Z}."
    if company.daily_summary:
        return f"No summary goes on {day}, a {day:%A}: it is not among the days chosen in the company settings."
    return "No summary goes on any day: it is switched off in the company settings."


def _outcome(dispatch: Dispatch) -> str:
    """What became of the promise."""
    if dispatch.outcome == DispatchOutcome.DONE:
        return f"sent at {dispatch.finished_at.astimezone(ZoneInfo(current().time_zone)):%H:%M:%S}"
    if dispatch.finished_at:
        return dispatch.error
    return f"not sent yet, it is tried again: {dispatch.error}" if dispatch.error else "in line, another worker is on the mail"
