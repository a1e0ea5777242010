"""The REST interface for upstream systems: JSON in and out, a bearer token instead of a session, no cookie and no form."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Add the interface. Who may ask for what is in the one table of portal/web/access.py."""
    from portal.api import bearer, change_orders

    bearer.init_app(app)
    app.register_blueprint(change_orders.bp)
