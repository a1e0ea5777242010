"""The settings pages: people with their rights, and the company."""

from flask import Blueprint

bp = Blueprint("settings", __name__, url_prefix="/settings")


@bp.get("/people")
def people() -> str:
    return ""
