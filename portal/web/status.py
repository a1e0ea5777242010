"""The status page, for support and operators."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.domain.change_orders import Status
from portal.domain.status import facts, verdict
from portal.domain.status.parts import Health
from portal.version import VERSION
from portal.web.htmx import wants_fragment

bp = Blueprint("status", __name__, url_prefix="/status")
PILLS = {Health.UP: "exported", Health.DEGRADED: "rejected", Health.PAUSED: "rejected", Health.DOWN: "failed"}
ICONS = {Health.UP: "check", Health.DEGRADED: "triangle-alert", Health.PAUSED: "circle-pause", Health.DOWN: "circle-x"}
VIEWS = {
    Status.READY: "ready",
    Status.QUEUED: "progress",
    Status.EXPORTING: "progress",
    Status.FAILED: "failed",
    Status.UNKNOWN: "failed",
}  # where the change orders of a state are listed


@bp.get("")
def index() -> ResponseReturnValue:
    return rendered("status/index.html")


@bp.get("/facts")
def fragment() -> ResponseReturnValue:
    """The facts as they are now."""
    return rendered("status/_facts.html") if wants_fragment() else redirect(url_for(".index"), 303)


def rendered(template: str) -> str:
    found = verdict.of(facts.gather())
    states = [(Status(state), count, VIEWS[Status(state)]) for state, count in found.facts.states.items()]
    return render_template(
        template, verdict=found, facts=found.facts, states=states, pills=PILLS, icons=ICONS, version=VERSION, worst=found.worst
    )
