"""The people page: who may do what, looked through by filters, as CSV, and the accounts themselves."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import clock, url_ids
from portal.domain import people
from portal.domain.accounts import access_review, password_links, privilege_requests, rights, similar_names
from portal.domain.accounts.access_review import Filter
from portal.domain.audit import search
from portal.domain.events import Event
from portal.domain.people import Level, NotPermitted, User
from portal.domain.projects import jobs
from portal.web import downloads, formats
from portal.web.audit import event_sentences
from portal.web.htmx import wants_fragment
from portal.web.visitors import me

bp = Blueprint("accounts", __name__, url_prefix="/settings")
bp.record(url_ids.register)
LATEST = 10
NEW = ("name", "email", "level", "can_push", "jobs")
COLUMNS = (
    "Name",
    "E-mail",
    "Account",
    "Level",
    "Level since (UTC)",
    "Level given by",
    "Can Push to Accounting",
    "Privilege since (UTC)",
    "Privilege granted by",
    "May decide",
    "Jobs",
    "Last active (UTC)",
    "Signs in with",
    "Access tokens",
    "Account made (UTC)",
    "Account made by",
    "Deactivated (UTC)",
    "Deactivated by",
    "Effective rights",
)


@bp.get("/people.csv")
def download() -> ResponseReturnValue:
    """For the access review: who holds what since when, granted by whom."""
    return downloads.as_csv(f"people-{clock.now():%Y%m%d-%H%M%S}.csv", COLUMNS, _rows(access_review.listed(wanted())))


@bp.post("/people")
def add() -> ResponseReturnValue:
    """A new person; a mail leads them to choosing their password."""
    form = request.form
    level = form.get("level", "")
    if level not in list(Level):
        return people_page(None, "Choose a level from the list.", new=form), 422
    jobs = [number.strip() for number in form.get("jobs", "").split(",") if number.strip()]
    try:
        person = password_links.invite(form.get("email", ""), form.get("name", ""), Level(level), form.get("can_push") == "on", jobs, me())
    except rights.Refused as error:
        return people_page(None, str(error), new=form), 422
    except NotPermitted as error:
        return people_page(None, str(error), new=form), 403
    flash(f"{person.name} was added. A mail to {person.email} leads to choosing a password; its link works for an hour.{likeness(person)}")
    return redirect(url_for("settings.people", _anchor=f"person-{person.id}"), 303)


def likeness(person: User) -> str:
    """A further sentence where a reader could take the person for someone else."""
    others = similar_names.among(people.everybody()).get(person.id, [])
    return f" The name looks like that of {', and of '.join(f'{one.name}, {one.email}' for one in others)}." if others else ""


@bp.post("/people/<key:id>/deactivation")
def deactivate(id: int) -> ResponseReturnValue:
    """No one signs in with the account from now on."""
    return switched(id, active=False)


@bp.post("/people/<key:id>/reactivation")
def reactivate(id: int) -> ResponseReturnValue:
    """The account works again, with the rights it had."""
    return switched(id, active=True)


def switched(id: int, *, active: bool) -> ResponseReturnValue:
    try:
        return saved(rights.set_active(find(id).id, active, by=me()))
    except rights.Refused as error:
        return refused(id, str(error), 422)
    except NotPermitted as error:
        return refused(id, str(error), 403)


def find(id: int) -> User:
    return people.by_id(id) or abort(404, "There is no such person.")


def saved(person: User) -> ResponseReturnValue:
    said = f"Saved {formats.at_time(clock.now())}. {person.name}: {person.effective_rights}"
    if wants_fragment():
        return row_of(person, said=said)
    flash(said)
    return redirect(url_for("settings.people", _anchor=f"person-{person.id}"), 303)


def refused(id: int, why: str, code: int) -> ResponseReturnValue:
    """The row, or the page, with the value as it still is and the reason."""
    if wants_fragment():
        return row_of(find(id), said=why, error=why), code
    return people_page(find(id), why), code


def wanted() -> Filter:
    """Whom the address asks for."""
    try:
        return access_review.read(request.args)
    except access_review.Invalid as error:
        abort(404, str(error))


def people_page(person: User | None = None, error: str = "", new: Mapping[str, str] | None = None) -> str:
    """Who was asked for; with what could not be done, to whom, or what was typed of a new person."""
    filter = wanted()
    shown = access_review.listed(filter)
    return render_template(
        "settings/people.html",
        people=shown,
        filter=filter,
        asked={"q": filter.text, "level": filter.level, "show": filter.shown},
        shown=access_review.SHOWN,
        requests=privilege_requests.open_ones(),
        latest=search.newest(rights.SUBJECT, rights.CHANGES, LATEST, me()),
        jobs=jobs.all_jobs(),
        new={field: (new or {}).get(field, "") for field in NEW},
        adding=new is not None,
        refused=person,
        error=error,
        **about(shown),
    )


def row_of(person: User, **said: str) -> str:
    return render_template("settings/_person.html", person=person, **about([person]), **said)


def about(shown: list[User]) -> dict[str, object]:
    """What the rows of these people need besides themselves."""
    return {
        "levels": list(Level),
        "memberships": people.jobs_by_person(),
        "grants": access_review.grants(shown),
        "alike": similar_names.among(people.everybody()),
    }


def _rows(shown: list[User]) -> Iterator[tuple[object, ...]]:
    jobs, grants, accounts = people.jobs_by_person(), access_review.grants(shown), access_review.accounts(shown)
    for person in shown:
        given, account = grants[person.id], accounts[person.id]
        privilege = ("inactive" if person.can_push_is_inactive else "yes") if person.can_push else "no"
        yield (
            person.name,
            person.email,
            "active" if person.active else "deactivated",
            person.level,
            *_when_and_who(given.level),
            privilege,
            *_when_and_who(given.privilege),
            "yes" if person.may_decide else "no",
            ", ".join(jobs.get(person.id, [])),
            _moment(person.last_active_at),
            ", ".join(account.roads),
            ", ".join(account.tokens),
            _moment(person.created_at),
            event_sentences.who(account.made) if account.made else "",
            *_when_and_who(account.closed),
            person.effective_rights,
        )


def _when_and_who(given: Event | None) -> tuple[str, str]:
    return (_moment(given.at), event_sentences.who(given)) if given else ("", "")


def _moment(at: datetime | None) -> str:
    return formats.iso(at) if at else ""
