"""The pictures of the handbook, taken again: `make screenshots`. The same people, change orders and moment each time, all invented."""

import base64
from datetime import UTC, datetime

import pytest

from portal import clock as clocks
from portal.demo import samples
from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.companies import Company
from portal.domain.lanes import MAIL
from portal.domain.outbox import Dispatch, DispatchOutcome
from portal.domain.people import find
from portal.spectrum.records import OutcomeUnknown, Refused, Row
from tests.browser.conftest import browser_context_args, browser_type_launch_args  # noqa: F401
from tests.cast import export, signed
from tests.conftest import Clock
from tests.docs.handbook import FOLDER
from tests.status.conftest import healthy  # noqa: F401
from tests.worker import GOOD

MOMENT = datetime(2026, 10, 5, 14, 10, tzinfo=UTC)  # a Monday morning in Chicago
WIDTH, QUALITY = 1200, 55
BAD_PHASE = Refused("Refused.", http=200, rows=[Row("I", "Phase is not on the job", "CR_Phase_Code")], answer="<x/>")
CLOSED = Refused("Refused.", http=200, rows=[Row("I", "Period 09 is closed", "Origination_Date")], answer="<x/>")
LOST = OutcomeUnknown("No answer.", http=None)


@pytest.fixture
def clock(monkeypatch):
    """Time stands still on that morning."""
    still = Clock()
    still.set(MOMENT)
    monkeypatch.setattr(clocks, "system", still.now)
    monkeypatch.setattr(clocks, "steady", still.steady)
    return still


@pytest.fixture
def company(database, clock):
    """The sample company with its people and change orders."""
    samples.load()
    Dispatch.update(finished_at=MOMENT, outcome=DispatchOutcome.DONE).where(Dispatch.lane == MAIL).execute()  # all mail went out
    Company.update(export_delay=0, look_rules="credit amount").execute()
    return Company.get()


@pytest.fixture
def ready(company):
    """Those that wait, oldest first."""
    return list(ChangeOrder.select().where(ChangeOrder.status == Status.READY).order_by(ChangeOrder.sent_at, ChangeOrder.id))


@pytest.fixture
def at(page, served):
    """Puts a person before a page."""

    def open(first_name, path):
        page.set_viewport_size({"width": WIDTH, "height": 800})
        page.goto(f"{served}/login")
        page.get_by_label("E-mail").fill(f"{first_name}@example.test")
        page.get_by_label("Password").fill(samples.PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/login" not in url)
        page.goto(f"{served}{path}")
        page.wait_for_load_state("networkidle")
        return page

    return open


def take(page, name, height):
    """The upper part of the page, as WebP, which is a third of a PNG."""
    page.evaluate("document.activeElement?.blur()")
    clip = {"x": 0, "y": 0, "width": WIDTH, "height": height, "scale": 1}
    session = page.context.new_cdp_session(page)
    taken = session.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY, "clip": clip, "captureBeyondViewport": True})
    (FOLDER / "images" / f"{name}.webp").write_bytes(base64.b64decode(taken["data"]))


def test_ready_to_export(at):
    take(at("ana", "/change-orders?view=ready"), "ready-to-export", 760)


def test_accept(at, ready):
    take(at("ana", f"/change-orders/{ready[0].id}/acceptance"), "accept", 760)


def test_your_change_orders(at):
    take(at("dee", "/jobs"), "your-change-orders", 560)


def test_draft(at, company):
    made = ChangeOrder.get(ChangeOrder.status == Status.REJECTED)
    take(at("dee", f"/change-orders/{made.id}/edit"), "draft", 800)


def test_people(at):
    take(at("eve", "/settings/people"), "people", 760)


def test_company(at):
    take(at("eve", "/settings/company"), "company", 800)


def test_status(at, healthy, ready):  # noqa: F811
    accepted(ready[0], GOOD)
    take(at("sam", "/status"), "status", 760)


def test_failures(at, ready):
    for one, answer in zip(ready, (LOST, CLOSED, CLOSED, BAD_PHASE, CLOSED), strict=False):
        accepted(one, answer)
    take(at("ana", "/failures"), "failures", 800)


def accepted(change_order, answer):
    """By Ana, and sent, with this answer of Spectrum to each line."""
    export(signed(change_order.id, find("ana@example.test"), change_order.version), answer)
