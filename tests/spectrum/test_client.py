"""The client against the real simulator over a socket: each thing that can happen is one of three outcomes, and the right one."""

import logging
import time

import pytest
from lxml import etree

from portal.spectrum.client import Spectrum
from portal.spectrum.records import NotSent, OutcomeUnknown, Refused, Row, failure_class
from portal.spectrum.services import TYPES
from portal.spectrum.simulator.faults import KINDS
from portal.spectrum.wsdl import Wsdl


def test_a_line_is_stored_and_receipted(spectrum, simulator, record):
    receipt = spectrum.change_request(record(), "5b0d6c0e-3c53-4f0a-9d0e-0f7a0d5c9a11")

    assert (receipt.http, receipt.rows) == (200, ())
    assert [line["Change_Request_Amount"] for line in simulator.ledger()[0]["lines"]] == ["4250.00"]
    assert [(call["outcome"], call["guid"]) for call in simulator.journal()] == [("stored", "5b0d6c0e-3c53-4f0a-9d0e-0f7a0d5c9a11")]


def test_every_declared_element_is_sent(spectrum, simulator, record):
    spectrum.change_request(record(), "g")

    assert simulator.journal()[0]["elements"] == {"GUID": "g", **record()}


def test_a_blank_number_never_leaves(spectrum, simulator, record):
    with pytest.raises(NotSent, match="has no number"):
        spectrum.change_request(record(Change_Request_Number="  "), "g")

    assert simulator.journal() == []


@pytest.mark.parametrize(
    "change", [{"Sub_Description": "x" * 31}, {"CR_Description": "Café"}, {"No_Such_Element": "x"}, {"CR_Description": "\x00"}]
)
def test_what_spectrum_would_cut_or_garble_never_leaves(spectrum, simulator, record, change):
    with pytest.raises(NotSent, match="cannot be stored"):
        spectrum.change_request(record(**change), "g")

    assert simulator.journal() == []


def test_a_refused_record_names_the_element_in_plain_words(spectrum, simulator, record):
    with pytest.raises(Refused) as refusal:
        spectrum.change_request(record(CR_Phase_Code="999999"), "g")

    assert failure_class(refusal.value.rows, refusal.value.http) == "data"
    assert [(row.code, row.column) for row in refusal.value.rows] == [("I", "CR_Phase_Code")]
    assert str(refusal.value).startswith("The phase and cost type may be missing on the job, or Complete. Spectrum said: “")
    assert simulator.ledger() == []


@pytest.mark.parametrize("identity", ["NOBODY", "RETIRED", "ONLYJOBS", "OTHERFIRM"])
def test_an_authorization_id_that_may_not_call_is_refused_access(simulator, record, tmp_path, identity):
    with pytest.raises(Refused, match="rejected the portal's sign-in") as refusal:
        Spectrum(simulator.url, identity, tmp_path).change_request(record(), "g")

    assert failure_class(refusal.value.rows, refusal.value.http) == "access"
    assert simulator.ledger() == []


#: Every fault that answers in place of the service: the outcome, whether the record is stored, and the status that came.
UNKNOWN = {
    "soap_fault": (False, 500),
    "http_500": (False, 500),
    "http_502": (False, 502),
    "http_503": (False, 503),
    "not_found": (False, 404),
    "commit_then_reset": (True, None),
    "reset_before_commit": (False, None),
    "truncated": (True, 200),
    "missing_tail": (True, 200),
    "empty_200": (False, 200),
    "html_200": (False, 200),
    "unknown_code": (False, 200),
    "redirect": (False, 307),
    "redirect_302": (False, 302),
    "commit_then_500": (True, 500),
    "header_only": (True, 500),
    "another_number": (True, 200),
    "dtd": (True, 200),
    "oversize": (True, 200),
}
REFUSALS = {"unauthorized", "forbidden", "refuse"}
SLOW = {"commit_then_hang", "drip", "delay"}
ELSEWHERE = {"person", "tls_refused", "commit_later", "earlier_answer"}  # see test_simulator_services.py, test_simulator_doubts.py


def test_every_fault_is_judged_in_a_test():
    assert set(KINDS) == {*UNKNOWN, *REFUSALS, *SLOW, *ELSEWHERE}


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_by_status_is_one_of_us(spectrum, simulator, record, status):
    simulator.fail({401: "unauthorized", 403: "forbidden"}[status])

    with pytest.raises(Refused) as refusal:
        spectrum.change_request(record(), "g")

    assert (refusal.value.http, failure_class(refusal.value.rows, status)) == (status, "access")
    assert simulator.ledger() == []


@pytest.mark.parametrize(("code", "access"), [("A", True), ("E", True), ("I", False), ("M", False)])
def test_a_refusal_by_letter_is_of_us_or_of_the_record(spectrum, simulator, record, code, access):
    simulator.fail("refuse", code=code)

    with pytest.raises(Refused) as refusal:
        spectrum.change_request(record(), "g")

    assert (failure_class(refusal.value.rows, refusal.value.http) == "access") is access


@pytest.mark.parametrize("code", ["W", "S", "X", "", " ", "g", "GG", "A!"])
def test_any_other_letter_is_unknown(spectrum, simulator, record, code):
    simulator.fail("refuse", code=code)

    with pytest.raises(OutcomeUnknown):
        spectrum.change_request(record(), "g")


@pytest.mark.parametrize(("fault", "stored", "http"), [(fault, *expected) for fault, expected in UNKNOWN.items()])
def test_what_is_not_understood_is_unknown_and_sent_once(spectrum, simulator, record, fault, stored, http):
    simulator.fail(fault)

    with pytest.raises(OutcomeUnknown) as doubt:
        spectrum.change_request(record(), "g")

    assert doubt.value.http == http
    assert len(doubt.value.answer.encode()) <= 4096
    assert len(simulator.journal()) == 1
    assert bool(simulator.ledger()) is stored


@pytest.mark.parametrize("fault", sorted(SLOW))
def test_the_deadline_holds_for_the_whole_call(simulator, record, tmp_path, fault):
    simulator.fail(fault, seconds=0.3 if fault == "drip" else 30)
    spectrum = Spectrum(simulator.url, "PORTALTEST", tmp_path, deadline_s=1.5)
    begun = time.monotonic()

    with pytest.raises(OutcomeUnknown, match="did not answer in time"):
        spectrum.change_request(record(), "g")

    assert 1.4 < time.monotonic() - begun < 10
    assert bool(simulator.ledger()) is (fault != "delay")


def test_a_slow_spectrum_may_store_after_the_client_gave_up(simulator, record, tmp_path):
    simulator.fail("delay", seconds=4)

    with pytest.raises(OutcomeUnknown):
        Spectrum(simulator.url, "PORTALTEST", tmp_path, deadline_s=1.5).change_request(record(), "g")

    assert simulator.ledger() == []
    _until(lambda: len(simulator.ledger()) == 1)


def test_an_unknown_code_outranks_the_refusals_beside_it(spectrum, simulator, record):
    simulator.fail("refuse", code="Q", text="odd", column="CR_Status")

    with pytest.raises(OutcomeUnknown, match=r"a code the portal does not know \(Q\): odd") as doubt:
        spectrum.change_request(record(), "g")

    assert doubt.value.rows == (Row("Q", "odd", "CR_Status"),)


def test_an_information_row_is_good(spectrum, simulator, record):
    simulator.fail("refuse", code="G", text="S014-003", column="Change_Request_Number")

    assert spectrum.change_request(record(), "g").rows == (Row("G", "S014-003", "Change_Request_Number"),)


def test_the_authorization_id_is_in_no_answer_message_or_log(simulator, record, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    simulator.fail("refuse", text="PORTALTEST may not <PORTALTEST>", column="PORTALTEST")

    with pytest.raises(Refused) as refusal:
        Spectrum(simulator.url, "PORTALTEST", tmp_path).change_request(record(), "g")

    told = f"{refusal.value} {refusal.value.answer} {refusal.value.rows} {refusal.value.__cause__} {caplog.text}"
    assert "PORTALTEST" not in told
    assert "[Authorization ID] may not" in told


def test_a_proxy_in_the_environment_is_not_used(spectrum, simulator, record, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert spectrum.change_request(record(), "g").http == 200


def test_an_address_ending_in_ws_works_too(simulator, record, tmp_path):
    assert Spectrum(f"{simulator.url}/ws/", "PORTALTEST", tmp_path).change_request(record(), "g").http == 200


def test_a_repeated_call_with_the_same_guid_is_not_suppressed(spectrum, simulator, record):
    spectrum.change_request(record(), "g")
    spectrum.change_request(record(Change_Request_Amount="10.00"), "g")

    assert [line["Change_Request_Amount"] for line in simulator.ledger()[0]["lines"]] == ["10.00"]


def _until(true, seconds=60):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("arrange", [reversed, lambda names: [names[1], names[0], *names[2:]]], ids=["reversed", "swapped"])
def test_a_client_that_breaks_the_order_of_the_elements_exports_nothing(spectrum, simulator, record, monkeypatch, arrange):
    """It fails here as it would at the real server, not first at a customer's."""
    envelope = Wsdl.envelope

    def disordered(self, values, fetch):
        message = etree.fromstring(envelope(self, values, fetch))
        call = message.find(f".//{{{TYPES}}}{self.service}")
        call[:] = list(arrange(list(call)))
        return etree.tostring(message)

    monkeypatch.setattr(Wsdl, "envelope", disordered)

    with pytest.raises(OutcomeUnknown) as doubt:
        spectrum.change_request(record(), "g")

    assert (doubt.value.cause, doubt.value.http) == ("fault", 500)
    assert simulator.ledger() == []


def test_a_wsdl_kept_from_before_the_server_changed_its_order_is_read_anew(spectrum, simulator, record, tmp_path):
    spectrum.change_request(record(), "a")
    (kept,) = (tmp_path / "wsdl").glob("*.wsdl")
    root = etree.fromstring(kept.read_bytes())
    sequence = root.find(".//{http://www.w3.org/2001/XMLSchema}sequence")
    sequence[:] = list(reversed(sequence))
    kept.write_bytes(etree.tostring(root))
    later = Spectrum(simulator.url, "PORTALTEST", tmp_path / "wsdl", connect_s=5, deadline_s=10)

    with pytest.raises(OutcomeUnknown) as doubt:
        later.change_request(record(), "b")
    receipt = later.change_request(record(), "c")

    assert (doubt.value.cause, receipt.http) == ("fault", 200)
    assert [call["outcome"] for call in simulator.journal()] == ["stored", "fault", "stored"]
