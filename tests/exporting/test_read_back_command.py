"""`portal exports look`: what Spectrum holds, beside what was sent. Off unless it is configured."""

import pytest
from click.testing import CliRunner

import config
from portal import spectrum
from portal.cli import main
from portal.domain.exporting.exports import Export
from portal.spectrum.client import Spectrum
from tests.spectrum.process import SimulatorProcess, write_master

pytestmark = pytest.mark.databases_differ("locks and races")

LINES = (("16-2000", "SUB", "4250.00"), ("03-3000", "SUB", "-250.00"))


@pytest.fixture
def simulator(tmp_path):
    process = SimulatorProcess(tmp_path / "simulator", write_master(tmp_path / "master.json"))
    yield process
    process.kill()


@pytest.fixture
def look(database_url, tmp_path, monkeypatch):
    """The command's exit code and what it said."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("PORTAL_DATA", str(tmp_path))
    monkeypatch.setenv("INFOLINK_SERVER", "simulator")

    def run(id):
        answer = CliRunner().invoke(main, ["exports", "look", str(id)])
        return answer.exit_code, answer.output

    return run


def send(simulator, tmp_path, lines):
    client = Spectrum(simulator.url, "PORTALTEST", tmp_path / "wsdl")
    for _, elements in lines:
        client.change_request(elements, "g")


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "Spectrum holds nothing under {number}."),
        (1, "Spectrum holds some of the lines of {number} and nothing else."),
        (2, "Spectrum holds exactly what was sent as {number}."),
    ],
)
def test_it_says_which_lines_are_in_spectrum(make_change_order, look, simulator, tmp_path, count, said):
    change_order = make_change_order("queued", lines=LINES)
    send(simulator, tmp_path, Export.get().lines[:count])

    code, output = look(change_order.id)

    assert code == 0, output
    assert output.splitlines()[0] == said.format(number=Export.get().number)
    assert output.count("is there") == count


def test_something_else_under_the_number_is_told(make_change_order, look, simulator, tmp_path):
    change_order = make_change_order("queued", lines=LINES)
    position, elements = Export.get().lines[0]
    send(simulator, tmp_path, [(position, elements | {"Change_Request_Amount": "1.00", "Sub_Amount": "1.00"})])

    _, output = look(change_order.id)

    assert "Spectrum holds something else under" in output


def test_what_was_never_accepted_has_nothing_to_compare(make_change_order, look):
    code, output = look(make_change_order().id)

    assert code == 2
    assert "was never accepted" in output


def test_it_is_off_by_default(make_change_order, look, monkeypatch):
    monkeypatch.delenv("INFOLINK_SERVER")

    code, output = look(make_change_order("queued").id)

    assert code == 2
    assert "Reading back is off. Set INFOLINK_SERVER" in output
    assert spectrum.reader(config.load()) is None


def test_tables_that_cannot_be_read_are_said_so(make_change_order, look):
    code, output = look(make_change_order("queued").id)

    assert code == 2
    assert "Spectrum's tables could not be read through Info-Link" in output
