"""The settings pages, for administrators: people with their rights, and the company."""

from zoneinfo import available_timezones

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal import clock
from portal.domain import companies, company_settings, pausing, privileges
from portal.domain import people as persons
from portal.domain.people import Level, NotPermitted, User
from portal.web import formats, keys, wants_fragment

bp = Blueprint("settings", __name__, url_prefix="/settings")
bp.record(keys.register)
ZONES = {zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/", "US/"))} | {"UTC"}


@bp.get("/people")
def people() -> ResponseReturnValue:
    return people_page()


@bp.post("/people/<key:id>/level")
def level(id: int) -> ResponseReturnValue:
    """Give the person another level."""
    wanted = request.form.get("level", "")
    if wanted not in list(Level):
        return refused(id, "Choose a level from the list.", 422)
    try:
        return saved(privileges.set_level(find(id).id, Level(wanted), by=current_user))
    except privileges.Refused as error:
        return refused(id, str(error), 422)
    except NotPermitted as error:
        return refused(id, str(error), 403)


@bp.post("/people/<key:id>/privilege")
def privilege(id: int) -> ResponseReturnValue:
    """Grant or remove Can Push to Accounting: the box is ticked, or absent from the form."""
    try:
        return saved(privileges.set_privilege(find(id).id, request.form.get("can_push") == "on", by=current_user))
    except NotPermitted as error:
        return refused(id, str(error), 403)


def find(id: int) -> User:
    return persons.by_id(id) or abort(404, "There is no such person.")


def saved(person: User) -> ResponseReturnValue:
    said = f"Saved {formats.at_time(clock.now())}. {person.name}: {person.effective_rights}"
    if wants_fragment():
        return render_template("settings/_person.html", person=person, levels=list(Level), said=said)
    flash(said)
    return redirect(url_for(".people", _anchor=f"person-{person.id}"), 303)


def refused(id: int, why: str, code: int) -> ResponseReturnValue:
    """The row, or the page, with the value as it still is and the reason."""
    if wants_fragment():
        return render_template("settings/_person.html", person=find(id), levels=list(Level), said=why, error=why), code
    return people_page(find(id), why), code


def people_page(person: User | None = None, error: str = "") -> str:
    return render_template("settings/people.html", people=persons.everybody(), levels=list(Level), refused=person, error=error)


@bp.get("/company")
def company() -> ResponseReturnValue:
    return company_page()


@bp.post("/company")
def save() -> ResponseReturnValue:
    """Keep one section of the company page."""
    section = request.form.get("section", "")
    if section not in company_settings.SECTIONS:
        abort(400)
    try:
        company_settings.change(section, request.form, by=current_user)
    except company_settings.Invalid as error:
        return company_page(section, error.errors), 422
    flash(f"Saved {formats.at_time(clock.now())}.")
    return redirect(url_for(".company", _anchor=section), 303)


@bp.post("/exports/resumption")
def resume() -> ResponseReturnValue:
    """Let paused exports go on."""
    pausing.resume(companies.current().lane, by=current_user)
    flash("Exports go on.")
    return redirect(url_for(".company"), 303)


def company_page(section: str = "", errors: dict[str, str] | None = None) -> str:
    """The page; in the section that was refused, with what was typed instead of what is kept."""
    kept = companies.current()
    values = {field: getattr(kept, field) for fields in company_settings.SECTIONS.values() for field in fields}
    typed = {field: request.form.get(field, "") for field in company_settings.SECTIONS.get(section, ())}
    return render_template(
        "settings/company.html",
        values=values | typed,
        errors=errors or {},
        needed=company_settings.needed(kept),
        zones=[(zone, zone.replace("_", " ")) for zone in sorted({*ZONES, kept.time_zone})],
        spectrum_url=current_app.config["SPECTRUM_URL"],
    )
