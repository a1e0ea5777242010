"""The web server is restarted while people decide: what they were told is what is recorded, and pressing again is always right."""

import signal
import sys

import pytest
import requests

from portal.domain import events, people
from portal.domain.change_orders import Status, load
from portal.domain.people import User
from tests.conftest import PASSWORD
from tests.faults.conftest import SECRET
from tests.people import Person
from tests.ports import free_port
from tests.processes import Process, environment, eventually, running

pytestmark = pytest.mark.databases_differ("a database that is lost, slow or busy")

ORDERS, RESTART_EVERY = 9, 3


class Web(Process):
    """gunicorn with one process of threads, as on one machine."""

    def __init__(self, folder, **settings):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = ["--bind", f"127.0.0.1:{self.port}", "--worker-class", "gthread", "--threads", "4", "--graceful-timeout", "3"]
        env = environment(PORTAL_PORT=self.port, PORTAL_DATA=folder, SECRET_KEY=SECRET, **settings)
        super().__init__(
            [sys.executable, "-m", "gunicorn", *command, "--no-control-socket", "portal:create_app()"], folder / "web.log", env
        )

    def ready(self):
        try:
            return requests.get(f"{self.url}/readyz", timeout=2).ok
        except requests.RequestException:
            return False


@pytest.fixture
def web(database_url, tmp_path):
    with running(Web(tmp_path, DATABASE_URL=database_url)) as server:
        yield server


def press(person, change_order):
    """Accept. No answer when the connection is lost, or when the form says already that it is accepted."""
    try:
        return person.press(person.page(f"/change-orders/{change_order.id}/acceptance"), "Export")
    except (requests.RequestException, AssertionError):
        return None


def test_a_restart_in_mid_work_loses_no_decision_and_invents_none(web, make_change_order, ana):
    """F08, F09"""
    User.update(password=people.hasher.hash(PASSWORD)).execute()
    orders = [make_change_order() for _ in range(ORDERS)]
    person = Person(web.url, ana.email, PASSWORD)

    for number, change_order in enumerate(orders):
        if number % RESTART_EVERY == 1:
            web.send(signal.SIGHUP)
        answer = press(person, change_order)
        if answer is not None and answer.ok:
            assert load(change_order.id).state is Status.QUEUED, "told so, and not recorded"

    for change_order in orders:
        eventually(lambda wanted=change_order: load(wanted.id).state is Status.QUEUED or press(person, wanted))
        assert [event.action for event in events.history("change_order", change_order.id)][2:] == ["accepted"]
