"""The settings pages, for administrators: people with their rights, and the company."""

from zoneinfo import available_timezones

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal import clock, url_ids
from portal.crypto import Sealer
from portal.domain import companies, currencies
from portal.domain.accounts import api_tokens, rights
from portal.domain.exporting import outdated, pausing
from portal.domain.imports import history
from portal.domain.mail import trial_mail
from portal.domain.people import Level, NotPermitted
from portal.domain.rules import spectrum_lists, spectrum_rules
from portal.domain.rules.attention import Reason
from portal.domain.settings import checklist, company_settings, connection_tests, refresh_lists, resend_check, spectrum_sign_in
from portal.web import formats
from portal.web.htmx import wants_fragment
from portal.web.settings.people import find, people_page, refused, saved
from portal.web.visitors import me

bp = Blueprint("settings", __name__, url_prefix="/settings")
bp.record(url_ids.register)
ZONES = {zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/", "US/"))} | {"UTC"}
LONGEST_REASON = 200  # of a pause
WEEKDAYS = list(enumerate(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), start=1))


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
        return saved(rights.set_level(find(id).id, Level(wanted), by=current_user))
    except rights.Refused as error:
        return refused(id, str(error), 422)
    except NotPermitted as error:
        return refused(id, str(error), 403)


@bp.post("/people/<key:id>/privilege")
def privilege(id: int) -> ResponseReturnValue:
    """Grant or remove Can Push to Accounting: the box is ticked, or absent from the form."""
    try:
        return saved(rights.set_privilege(find(id).id, request.form.get("can_push") == "on", by=current_user))
    except NotPermitted as error:
        return refused(id, str(error), 403)


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
        company_settings.change(section, typed_values(), by=current_user, confirmed=url_ids.confirmed())
    except company_settings.Invalid as error:
        return company_page(section, error.errors), 422
    except outdated.Unconfirmed as error:
        return company_page(section, carriers=error.count), 409
    off = next(iter(spectrum_rules.company_settings(companies.current())), None) if section == "spectrum" else None
    flash(f"Saved {formats.at_time(clock.now())}.{f' {off.text} {off.fix}' if off else ''}", "warning" if off else "message")
    return redirect(url_for(".company", _anchor=section), 303)


def typed_values() -> dict[str, str]:
    """The fields of the form; of the weekdays and the reasons all that are ticked."""
    return request.form.to_dict() | {
        "summary_days": "".join(request.form.getlist("summary_days")),
        "look_rules": " ".join(request.form.getlist("look_rules")),
    }


@bp.post("/exports/pause")
def pause() -> ResponseReturnValue:
    """Stop sending, for a reason that everyone sees."""
    reason = request.form.get("reason", "").strip()
    if not 1 <= len(reason) <= LONGEST_REASON or not reason.isprintable():
        return company_page("pause", {"reason": f"Give a reason of 1 to {LONGEST_REASON} characters, on one line: everybody sees it."}), 422
    pausing.pause(companies.current().lane, me(), reason)
    flash("Exports are paused. What is accepted waits in line.")
    return redirect(url_for(".company"), 303)


@bp.post("/exports/resumption")
def resume() -> ResponseReturnValue:
    """Let paused exports go on."""
    pausing.resume(companies.current().lane, by=current_user)
    flash("Exports resumed.")
    return redirect(url_for(".company"), 303)


@bp.post("/connection")
def connect() -> ResponseReturnValue:
    """Keep how the portal signs in to Spectrum."""
    try:
        spectrum_sign_in.change(request.form, me(), sealer())
    except company_settings.Invalid as error:
        return company_page("connection", error.errors), 422
    flash(f"Saved {formats.at_time(clock.now())}. Press Test connection to see whether Spectrum takes it.")
    return redirect(url_for(".company", _anchor="connection"), 303)


@bp.post("/connection/tests")
def test_connection() -> ResponseReturnValue:
    """Ask the worker to try the connection."""
    connection_tests.ask(me())
    if wants_fragment():
        return tested("The connection is being tested.")
    return redirect(url_for(".company", _anchor="connection"), 303)


@bp.get("/connection/test")
def connection_test() -> ResponseReturnValue:
    """What the latest test found."""
    if not wants_fragment():
        return redirect(url_for(".company", _anchor="connection"), 303)
    test = connection_tests.latest(companies.current())
    return tested(test.said if test and test.finished_at else "")


def tested(said: str) -> str:
    return render_template("settings/_connection_test.html", test=connection_tests.latest(companies.current()), said=said)


@bp.post("/look-ups")
def refresh() -> ResponseReturnValue:
    """Ask the worker to read Spectrum's lists again."""
    refresh_lists.ask(me())
    if wants_fragment():
        return looked_up("Reading from Spectrum has begun.")
    return redirect(url_for(".company", _anchor="look-ups"), 303)


@bp.get("/look-ups")
def look_ups() -> ResponseReturnValue:
    """How far the reading is."""
    if not wants_fragment():
        return redirect(url_for(".company", _anchor="look-ups"), 303)
    progress = refresh_lists.progress(companies.current())
    return looked_up("" if progress.running else "Reading from Spectrum has ended.")


def looked_up(said: str) -> str:
    company = companies.current()
    shown = {"progress": refresh_lists.progress(company), "summaries": spectrum_lists.summaries(company)}
    return render_template("settings/_refresh_lists.html", **shown, said=said)


def sealer() -> Sealer:
    return Sealer(*current_app.config["SETTINGS"].keys)


def company_page(section: str = "", errors: dict[str, str] | None = None, carriers: int = 0) -> str:
    """The page; in the section that was refused, with what was typed instead of what is kept. A secret is never shown again.

    carriers  how many accepted change orders carry an old value of what was typed: to be confirmed first
    """
    kept = companies.current()
    signed_in = spectrum_sign_in.of(kept)
    readable = spectrum_sign_in.is_readable(signed_in, sealer())
    values = {field: getattr(kept, field) for fields in company_settings.SECTIONS.values() for field in fields}
    values |= {field: getattr(signed_in, field) for field in spectrum_sign_in.SHOWN}
    fields = spectrum_sign_in.SHOWN if section == "connection" else tuple(company_settings.SECTIONS.get(section, ()))
    form = typed_values()
    typed = {field: form.get(field, "") for field in fields} | {"reason": form.get("reason", "")}
    return render_template(
        "settings/company.html",
        values=values | typed,
        errors=errors or {},
        carriers=carriers,
        connection=signed_in,
        readable=readable,
        test=connection_tests.latest(kept),
        check=resend_check.latest(),
        candidates=resend_check.candidates(),
        resending=kept.resending,
        test_code=kept.code if kept.test_company else "",
        progress=refresh_lists.progress(kept),
        summaries=spectrum_lists.summaries(kept),
        steps=checklist.steps(kept, readable=readable),
        trial=trial_mail.latest(me()),
        last_import=next(iter(history.latest(me(), 1)), None),
        live_tokens=len(api_tokens.live()),
        zones=[(zone, zone.replace("_", " ")) for zone in sorted({*ZONES, kept.time_zone})],
        weekdays=WEEKDAYS,
        reasons=[(reason.value, reason.label) for reason in Reason],
        currencies=[(code, f"{code} – {name}") for code, name in currencies.OF_BOOKS.items()],
        spectrum_url=current_app.config["SPECTRUM_URL"],
        mail=current_app.config["SETTINGS"],
    )
