"""With real processes: the connection is tested, Spectrum's lists are read, and the checks know what they say."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.people import Person
from tests.processes import PortalUp, eventually, get_json, running

UNFINISHED = ("not read yet", "Reading since")
CLOSED = "Phase 07-84-13 is Complete on job 24-117."  # the sample's fire caulking


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[PortalUp]:
    with running(PortalUp(tmp_path)) as portal:
        yield portal


def test_an_administrator_tests_the_connection_and_has_the_lists_read(portal: PortalUp) -> None:
    account = portal.account("admin")
    eve = Person(portal.report["url"], account["email"], account["password"])

    def shows(id: str, words: str) -> bool:
        return words in " ".join(eve.page("/settings/company").find(id=id).get_text(" ").split())

    assert eve.press(eve.page("/settings/company"), "Test connection").ok
    eventually(lambda: shows("connection-test", "answered and accepts the Authorization ID"))
    assert eve.press(eve.page("/settings/company"), "Refresh from Spectrum").ok
    eventually(lambda: shows("look-ups", "Phases with cost type:") and not any(shows("look-ups", words) for words in UNFINISHED))

    assert CLOSED in " ".join(eve.page("/change-orders?view=ready").get_text(" ").split())
    journal = get_json(f"{portal.report['simulator']}/__sim/ledger")["journal"]
    assert {call["method"] for call in journal} >= {"WSTestConnection", "GetJob", "GetPhase"}
    assert account["password"] not in portal.output()
