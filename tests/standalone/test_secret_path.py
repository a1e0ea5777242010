"""A stand-in answers who knows its address, under the name of this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from portal import secret_path
from tests.processes import Catcher, running
from tests.spectrum.process import SimulatorProcess, write_master


@pytest.fixture(params=["catcher", "simulator"])
def stand_in(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Its address."""
    if request.param == "catcher":
        with running(Catcher(tmp_path)) as catcher:
            yield catcher.url
        return
    simulator = SimulatorProcess(tmp_path / "data", write_master(tmp_path / "master.json"))
    yield simulator.url
    simulator.kill()


def status(url: str, host: str | None = None) -> int:
    return requests.get(url, headers={"Host": host} if host else {}, timeout=10, allow_redirects=False).status_code


def test_it_answers_its_own_name_and_word_alone(stand_in: str) -> None:
    base, _, word = stand_in.rpartition("/")

    assert len(word) >= 16
    assert [status(f"{stand_in}/", host) for host in (None, "localhost:8025", "127.0.0.1")] == [200, 200, 200]
    assert [status(f"{stand_in}/", host) for host in ("evil.example", "evil.example:8025", "127.0.0.1.evil.example", "[")] == [421] * 4
    assert [status(f"{base}{path}") for path in ("/", "/mails.json", "/__sim/ledger", "/ws/ARChangeRequest", f"/{word}x/")] == [404] * 5
    assert status(stand_in) == 308


def test_the_word_stays_the_same_and_is_its_owners_alone(tmp_path: Path) -> None:
    word = secret_path.word(tmp_path / "new")

    assert secret_path.word(tmp_path / "new") == word != secret_path.word(tmp_path / "other")
    assert (tmp_path / "new" / "word").stat().st_mode & 0o777 == 0o600
