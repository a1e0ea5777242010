"""The list that a person works from: its address travels along, so that a decision and the page of a change order lead back there."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import current_app, g, request, url_for

from portal.domain.change_orders import ChangeOrder
from portal.domain.people import User
from portal.domain.review import lists, paging, views
from portal.web import access, list_filters

QUERY = {
    "change_orders.index": ("view", *list_filters.NAMES_OF_ALL, *list_filters.ARRANGEMENT, "after"),
    "projects.jobs": (),
    "jobs.show": ("after",),
    "jobs.commitment": ("after",),
}
QUERY |= {"failures.index": (), "failures.show": ("after",), "failures.unknown": ("after",)}
NAMES = {
    "projects.jobs": "Your change orders",
    "jobs.show": "Change orders of the job",
    "jobs.commitment": "Change orders of the commitment",
    "failures.index": "Failures",
    "failures.show": "Failures of one cause",
    "failures.unknown": "Outcome unknown",
}


@dataclass(frozen=True)
class Place:
    """One page of a list of change orders.

    thing  the job or commitment whose list it is
    query  what chooses view and page
    """

    endpoint: str
    thing: dict[str, Any]
    query: dict[str, Any]

    @property
    def path(self) -> str:
        return url_for(self.endpoint, **self.thing)

    @cached_property
    def url(self) -> str:
        return url_for(self.endpoint, **self.thing, **self.query)

    @cached_property
    def view(self) -> views.View | None:
        """As it is filtered; with a filter that is none, all of it."""
        view = views.BY_KEY.get(self.query.get("view", "ready")) if self.endpoint == "change_orders.index" else None
        try:
            return list_filters.narrowed(view, self.query) if view else None
        except list_filters.Invalid:
            return view

    @property
    def name(self) -> str:
        return self.view.label if self.view else NAMES.get(self.endpoint, "Change Orders")


def current() -> Place | None:
    """The list that is being shown, else the one that the request in hand came from; worked out once per answer."""
    if "place" not in g:
        address = request.full_path if request.endpoint in QUERY else request.values.get("place")
        g.place = read(address)
    found: Place | None = g.place
    return found


def read(address: str | None) -> Place | None:
    """The place with this address, if it is a list of ours; nothing else is ever led back to."""
    if not (own := access.own_page(address)):
        return None
    path, query = urlsplit(own).path, dict(parse_qsl(urlsplit(own).query))
    endpoint, thing = current_app.create_url_adapter(request).match(path, method="GET")  # type: ignore[union-attr]
    return Place(endpoint, dict(thing), {key: query[key] for key in QUERY[endpoint] if key in query}) if endpoint in QUERY else None


def address() -> str | None:
    """Of the list that the request came from, to travel along."""
    place = current()
    return place.url if place else None


def led_back(change_order: ChangeOrder, viewer: User, otherwise: str) -> str:
    """Where a person goes on after a decision: the list as they left it, at its row, or at the one behind it when it has left the list.

    `otherwise` is the view for people who came from no list.
    """
    place = current() or Place("change_orders.index", {}, {"view": otherwise})
    near = change_order.id
    if place.view and change_order.state not in place.view.statuses:
        behind = lists.page(place.view, viewer, paging.cursor(place.view, change_order), size=1).rows
        near = behind[0].change_order.id if behind else near
    return f"{place.url}#change-order-{near}"
