"""Pages that explain."""

from flask import Blueprint, render_template
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from portal.domain.exporting import error_catalogue

bp = Blueprint("help", __name__, url_prefix="/help")


@bp.record
def register(state: BlueprintSetupState) -> None:
    """The rows of change orders name causes too."""
    state.app.add_template_filter(error_catalogue.of, "causes")
    state.app.add_template_filter(error_catalogue.anchor)
    state.app.add_template_filter(error_catalogue.entry)
    state.app.add_template_filter(error_catalogue.about)


@bp.get("/errors")
def errors() -> ResponseReturnValue:
    """Everything that can stop a change order, what it means and who can fix it."""
    return render_template("change_orders/error_help.html", groups=error_catalogue.GROUPS)
