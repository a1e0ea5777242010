"""`portal users`: accounts, rights and links for passwords from the command line, where the first Admin comes from."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from portal import cli, db
from portal.domain import people
from portal.domain.accounts import identities, password_links, rights, session_control
from portal.domain.people import Level, NotPermitted, User

LEVELS = click.Choice([str(level) for level in Level], case_sensitive=False)


@click.group()
def users() -> None:
    """Add and list people, grant and revoke their rights, help them sign in."""


@users.command()
@click.argument("email")
@click.option("--name", required=True, help="As it is shown in lists and history.")
@click.option("--level", type=LEVELS, default=str(Level.NONE), show_default=True)
@click.option("--push/--no-push", default=False, help="Can Push to Accounting; needs at least Standard.")
@click.option("--job", "jobs", multiple=True, metavar="NUMBER", help="Make them a member of this job; may be repeated.")
@click.option("--mail", is_flag=True, help="Send the link by mail too.")
@click.option("--password-stdin", is_flag=True, help="Read a password from standard input instead of making a link.")
@cli.acting
@cli.json_option
def add(
    email: str, name: str, level: str, push: bool, jobs: tuple[str, ...], mail: bool, password_stdin: bool, acting: str, as_json: bool
) -> None:
    """Make an account, and show a link by which its person chooses a password: it works once, for an hour."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    with _open(), db.transaction():
        by = cli.actor(acting)
        person = rights.add(email, name, Level(level), push, password, by)
        for number in jobs:
            rights.join(person, number, by)
        link = "" if password_stdin else _link(person, mail, by)
    cli.tell(as_json, [f"Added {_line(person, list(jobs))}", *_shown(link, mail)], **_facts(person, list(jobs)), link=link)


@users.command()
@click.argument("email")
@click.option("--mail", is_flag=True, help="Send the link by mail too.")
@cli.acting
@cli.json_option
def reset(email: str, mail: bool, acting: str, as_json: bool) -> None:
    """Show a link by which a person chooses a new password: it works once, for an hour. The old one works until then."""
    with _open(), db.transaction():
        person = cli.person(email)
        if not person.active:
            raise rights.Refused(f"The account of {person.email} is closed. Open it with `portal users grant {person.email} --account`.")
        link = _link(person, mail, cli.actor(acting))
    cli.tell(as_json, [person.email, *_shown(link, mail)], email=person.email, link=link)


@users.command()
@click.argument("email")
@cli.acting
@cli.json_option
def unlock(email: str, acting: str, as_json: bool) -> None:
    """End the wait of a person who typed too many wrong passwords."""
    with _open():
        person = cli.person(email)
        unlocked = session_control.unlock(person, cli.actor(acting))
    said = f"{person.email} can try again now." if unlocked else f"{person.email} did not have to wait."
    cli.tell(as_json, [said], email=person.email, unlocked=unlocked)


@users.command("list")
@cli.json_option
def list_(as_json: bool) -> None:
    """Everyone with an account and what they may do."""
    with _open():
        jobs = people.jobs_by_person()
        found = [(person, jobs.get(person.id, [])) for person in people.everybody()]
    cli.tell(as_json, [_line(*one) for one in found], people=[_facts(*one) for one in found])


@users.command()
@click.argument("email")
@click.option("--level", type=LEVELS, help="The new level.")
@click.option("--push", is_flag=True, help="Grant Can Push to Accounting.")
@click.option("--job", "jobs", multiple=True, metavar="NUMBER", help="Make them a member of this job; may be repeated.")
@click.option("--account", is_flag=True, help="Open a closed account again.")
@cli.acting
@cli.json_option
def grant(email: str, level: str | None, push: bool, jobs: tuple[str, ...], account: bool, acting: str, as_json: bool) -> None:
    """Give rights: a level, the privilege, membership of jobs."""
    if not (level or push or jobs or account):
        raise click.UsageError("Say what to grant: --level, --push, --job or --account.")
    with _open(), db.transaction():
        person, by = cli.person(email), cli.actor(acting)
        person = rights.set_active(person.id, True, by) if account else person
        person = rights.set_level(person.id, Level(level), by) if level else person
        person = rights.set_privilege(person.id, True, by) if push else person
        for number in jobs:
            rights.join(person, number, by)
    cli.tell(as_json, [_line(person)], **_facts(person, people.jobs_by_person().get(person.id, [])))


@users.command()
@click.argument("email")
@click.option("--push", is_flag=True, help="Take Can Push to Accounting away.")
@click.option("--level", type=LEVELS, help="The lower level they keep.")
@click.option("--job", "jobs", multiple=True, metavar="NUMBER", help="Take them off this job; may be repeated.")
@click.option("--account", is_flag=True, help="Close the account: no one can sign in with it, and its sessions end now.")
@cli.acting
@cli.json_option
def revoke(email: str, push: bool, level: str | None, jobs: tuple[str, ...], account: bool, acting: str, as_json: bool) -> None:
    """Take rights away: the privilege, a level, membership of jobs, the account."""
    if not (level or push or jobs or account):
        raise click.UsageError("Say what to revoke: --push, --level, --job or --account.")
    with _open(), db.transaction():
        person, by = cli.person(email), cli.actor(acting)
        person = rights.set_privilege(person.id, False, by) if push else person
        person = rights.set_level(person.id, Level(level), by) if level else person
        person = rights.set_active(person.id, False, by) if account else person
        for number in jobs:
            rights.leave(person, number, by)
    cli.tell(as_json, [_line(person)], **_facts(person, people.jobs_by_person().get(person.id, [])))


@users.command()
@click.argument("email")
@cli.acting
@cli.json_option
def unlink(email: str, acting: str, as_json: bool) -> None:
    """Let the identity at the company's provider open this account no more; the next one with its address will."""
    with _open():
        person = cli.person(email)
        identities.unlink(person, cli.actor(acting))
    cli.tell(as_json, [f"Unlinked {_line(person)}"], email=person.email)


@contextmanager
def _open() -> Iterator[None]:
    """The database, migrated; what the domain refuses ends the command with its words and status 2."""
    db.init(cli.settings().DATABASE_URL)
    with db.connected():
        if not db.database.table_exists("user"):
            raise cli.Refusal("The database is empty. Run `portal db migrate` first.")
        try:
            yield
        except (rights.Refused, NotPermitted, db.Busy) as error:
            raise cli.Refusal(str(error)) from None


def _link(person: User, mail: bool, by: User | None) -> str:
    """The address of a new link; another one goes by mail if wanted."""
    address = f"{cli.settings().PORTAL_URL}/password/{password_links.make(person, by)}"
    if mail:
        (password_links.reset if person.password else password_links.first_time)(person, by)
    return address


def _shown(link: str, mail: bool) -> list[str]:
    if not link:
        return []
    sent = ["Another one goes to them by mail."] if mail else []
    return [*sent, "Set a password here. The link works once, for an hour. Don’t share it:", link]


def _facts(person: User, jobs: list[str]) -> dict[str, object]:
    rights = {"level": person.level, "can_push": person.can_push, "active": person.active}
    return {"email": person.email, "name": person.name, **rights, "jobs": sorted(jobs)}


def _line(person: User, jobs: list[str] | None = None) -> str:
    facts = [person.email, person.name, person.level, "Can Push to Accounting" if person.can_push else "", ", ".join(sorted(jobs or []))]
    return " · ".join([*filter(None, facts), person.effective_rights])
