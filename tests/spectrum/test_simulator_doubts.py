"""What makes a simulated Spectrum hard to trust: late work, answers to other calls, repeats that double, tables that lag."""

import time
from decimal import Decimal

import pytest
import requests

from portal.spectrum.client import Spectrum
from portal.spectrum.infolink import simulated
from portal.spectrum.records import OutcomeUnknown, Refused
from tests.processes import eventually

KEYS = ("ABC", "24-117", "NORTHSIDE", "S014-003")


@pytest.fixture
def infolink(simulator):
    return simulated(simulator.data / "spectrum.db")


def amounts(simulator):
    return [line["Change_Request_Amount"] for request in simulator.ledger() for line in request["lines"]]


# Calls


def test_work_may_be_done_after_the_client_was_hung_up_on(spectrum, simulator, record):
    simulator.fail("commit_later", seconds=600)

    with pytest.raises(OutcomeUnknown):
        spectrum.change_request(record(), "g")

    assert simulator.ledger() == []
    simulator.control("release", {})
    eventually(lambda: amounts(simulator) == ["4250.00"])
    assert [(call["outcome"], call["fault"]) for call in simulator.journal()] == [("stored", "commit_later")]


def test_late_work_comes_by_itself_too(spectrum, simulator, record):
    simulator.fail("commit_later", seconds=0.1)

    with pytest.raises(OutcomeUnknown):
        spectrum.change_request(record(), "g")

    eventually(lambda: amounts(simulator) == ["4250.00"])


def test_a_wait_may_have_any_length_between_two(spectrum, simulator, record):
    simulator.fail("delay", seconds=0.01, longest=0.8, seed=3)
    lengths = []
    for _ in range(4):
        begun = time.monotonic()
        spectrum.change_request(record(), "g")
        lengths.append(time.monotonic() - begun)

    assert max(lengths) - min(lengths) > 0.02


def test_an_answer_may_be_that_of_an_earlier_call(spectrum, simulator, record):
    with pytest.raises(Refused):
        spectrum.change_request(record(CR_Phase_Code="999999"), "older")
    simulator.fail("earlier_answer")

    with pytest.raises(Refused, match="The phase and cost type may be missing on the job"):
        spectrum.change_request(record(), "newer")

    assert amounts(simulator) == ["4250.00"]


def test_an_answer_may_name_another_number(spectrum, simulator, record):
    simulator.fail("another_number")

    with pytest.raises(OutcomeUnknown) as doubt:
        spectrum.change_request(record(), "g")

    assert doubt.value.cause == "number"
    assert [request["Change_Request_Number"] for request in simulator.ledger()] == ["S014-003"]


def test_a_header_may_be_stored_without_its_line(spectrum, simulator, record, infolink):
    simulator.fail("header_only")

    with pytest.raises(OutcomeUnknown):
        spectrum.change_request(record(), "g")

    assert [(request["Change_Request_Number"], request["lines"]) for request in simulator.ledger()] == [("S014-003", [])]
    assert infolink.look(*KEYS) is None


def test_a_seeded_mix_strikes_its_share_of_calls_and_the_same_ones_again(spectrum, simulator, record):
    def struck():
        simulator.heal()
        simulator.control("mix", {"rates": {"http_500": 0.2, "commit_then_500": 0.1}, "seed": 5})
        before = len(simulator.journal())
        for _ in range(40):
            try:
                spectrum.change_request(record(), "g")
            except OutcomeUnknown:
                continue
        return [call["fault"] for call in simulator.journal()[before:]]

    first, again = struck(), struck()

    assert first == again
    assert {"", "http_500", "commit_then_500"} == set(first)
    assert 4 <= 40 - first.count("") <= 20


@pytest.mark.parametrize(
    "wanted", [{"rates": {"meteor": 0.1}}, {"rates": {"http_500": 0.7, "http_503": 0.7}}, {"rates": {"http_500": -1}}, {}]
)
def test_a_mix_that_makes_no_sense_is_refused(simulator, wanted):
    assert requests.post(f"{simulator.url}/__sim/mix", json=wanted, timeout=10).status_code == 422


# Repeats


def test_a_line_that_comes_again_replaces_what_is_there(spectrum, simulator, record):
    spectrum.change_request(record(), "g")
    spectrum.change_request(record(Change_Request_Amount="1.00"), "g")

    assert amounts(simulator) == ["1.00"]


def test_a_server_that_appends_has_it_twice(spectrum, simulator, record, infolink):
    simulator.options(repeat="append")
    spectrum.change_request(record(), "g")
    spectrum.change_request(record(), "g")

    assert amounts(simulator) == ["4250.00", "4250.00"]
    assert [line.amount for line in infolink.look(*KEYS).lines] == [Decimal("4250.00")] * 2


def test_a_server_that_appends_ties_has_twice_what_came_while_the_first_was_at_work(simulator, record, tmp_path):
    simulator.options(repeat="append-if-tied")
    simulator.fail("commit_later", nth=1, seconds=600)
    spectrum = Spectrum(simulator.url, "PORTALTEST", tmp_path / "wsdl")
    with pytest.raises(OutcomeUnknown):
        spectrum.change_request(record(), "g")

    spectrum.change_request(record(), "g")
    simulator.control("release", {})

    eventually(lambda: amounts(simulator) == ["4250.00", "4250.00"])
    spectrum.change_request(record(), "g")
    assert len(amounts(simulator)) == 2


@pytest.mark.parametrize("repeat", ["sometimes", 7, True])
def test_a_repeat_of_another_kind_is_refused(simulator, repeat):
    assert requests.post(f"{simulator.url}/__sim/options", json={"repeat": repeat}, timeout=10).status_code == 422


# Reading back


def test_a_stored_row_shows_in_the_tables_only_after_the_lag(spectrum, simulator, record, infolink):
    simulator.options(lag_s=0.5)

    spectrum.change_request(record(), "g")

    assert amounts(simulator) == ["4250.00"]
    assert infolink.look(*KEYS) is None
    assert eventually(lambda: infolink.look(*KEYS)).lines[0].amount == Decimal("4250.00")


def test_what_is_shown_stays_while_a_new_line_lags(spectrum, simulator, record, infolink):
    spectrum.change_request(record(), "g")
    simulator.options(lag_s=600)
    spectrum.change_request(record(CR_Phase_Code="033000"), "g")

    assert len(infolink.look(*KEYS).lines) == 1
    assert len(amounts(simulator)) == 2


def test_the_tables_may_be_those_of_another_company(spectrum, simulator, record, infolink):
    spectrum.change_request(record(), "g")
    simulator.options(readback_company="XYZ")
    elsewhere = infolink.look(*KEYS)
    simulator.options(readback_company="")

    assert elsewhere is None
    assert infolink.look(*KEYS) is not None
