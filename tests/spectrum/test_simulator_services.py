"""The rest of the simulated Spectrum: its other services, sections, sign-in, clock, people at work in it, and further ways to fail."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import requests
import zeep
from lxml import etree

from portal.spectrum.client import Spectrum
from portal.spectrum.records import NotSent, OutcomeUnknown, Refused
from portal.spectrum.services import ELEMENTS
from tests.spectrum.process import SimulatorProcess

CERTIFICATE = str(Path(__file__).with_name("localhost.pem"))
KEYS = {"Company_Code": "ABC", "Job_Number": "24-117", "Customer_Code": "NORTHSIDE", "Change_Request_Number": "S014-003"}
FORM = {
    "client_id": "PORTALTEST",
    "client_secret": "simulated-secret",
    "scope": "spectrumapi",
    "grant_type": "client_credentials",
}


@pytest.fixture
def soap(simulator):
    """Call a service with a stock SOAP client made from its WSDL; elements left out are empty. Gives the rows as dictionaries."""

    def call(service, **values):
        client = zeep.Client(f"{simulator.url}/wsdls/{service}.jws", settings=zeep.Settings(raw_response=True))
        given = {name: values.get(name, "") for name in ELEMENTS[service]} | {
            "Authorization_ID": values.get("Authorization_ID", "PORTALTEST")
        }
        answer = client.service[service](**given)
        return [{part.tag: part.text or "" for part in row} for row in etree.fromstring(answer.content).iter("response")]

    return call


@pytest.fixture
def put(soap, record):
    return lambda **changes: [(row["error_code"], row["column"]) for row in soap("ARChangeRequest", **{**record(), **changes})]


def post(simulator, path, data):
    return requests.post(f"{simulator.url}{path}", data=data, timeout=10)


# Questions


@pytest.mark.parametrize("service", ELEMENTS)
def test_every_wsdl_declares_its_elements_in_the_order_of_the_table(simulator, service):
    client = zeep.Client(f"{simulator.url}/wsdls/{service}.jws")

    (port,) = client.wsdl.services[service].ports.values()
    assert [name for name, _ in port.binding.get(service).input.body.type.elements] == list(ELEMENTS[service])


def test_a_get_wraps_its_rows_in_its_name_and_ends_each_with_the_error_fields(simulator, soap):
    (row, *_) = soap("GetJob", pCompany_Code="ABC")

    assert list(row)[-3:] == ["Error_Code", "Error_Description", "Error_Column"]
    body = etree.fromstring(requests.get(f"{simulator.url}/wsdls/GetJob.jws", timeout=10).content)
    assert body.get("name") == "GetJob"


@pytest.mark.parametrize(
    ("filters", "jobs"),
    [
        ({}, ["24-117", "24-118"]),
        ({"pStatus_Code": "C"}, ["23-001"]),
        ({"pCustomer_Code": "LAKEVIEW"}, []),
        ({"pCustomer_Code": "NORTHSIDE"}, ["24-117", "24-118"]),
    ],
)
def test_jobs_are_filtered(soap, filters, jobs):
    assert [row["Job_Number"] for row in soap("GetJob", pCompany_Code="ABC", **filters)] == jobs


def test_phases_are_filtered_by_cost_type_too(soap):
    assert soap("GetPhase", pCompany_Code="ABC", pJob_Number="24-117", pCost_Type="LAB") == []
    assert len(soap("GetPhase", pCompany_Code="ABC", pJob_Number="24-117", pCost_Type="SUB")) == 2


@pytest.mark.parametrize("service", ["GetJob", "GetPhase", "GetCustomers"])
def test_a_get_says_e_to_who_may_not_ask(soap, service):
    (row,) = soap(service, Authorization_ID="RETIRED", pCompany_Code="ABC")

    assert (row["Error_Code"], row["Error_Description"]) == ("E", "The web service is not Authorized")


def test_a_get_stops_with_a_warning(simulator, soap):
    simulator.options(get_stop=1)

    rows = soap("GetCustomers", pCompany_Code="ABC")

    assert [(row["Customer_Code"], row["Error_Code"]) for row in rows] == [("NORTHSIDE", ""), ("", "W")]


def test_a_used_label_brings_one_empty_row_where_that_is_switched_on(simulator, soap):
    soap("GetJob", GUID="used", pCompany_Code="ABC")
    simulator.options(used_guid_empty=True)

    (row,) = soap("GetJob", GUID="used", pCompany_Code="ABC")

    assert set(row.values()) == {""}


def test_vendors_come_as_json_to_who_signs_in(simulator):
    url = f"{simulator.url}/vendors/ABC"

    assert requests.get(url, timeout=10).status_code == 401
    assert requests.get(url, auth=("ABC", "NOBODY"), timeout=10).status_code == 401
    assert requests.get(url, auth=("ABC", "PORTALTEST"), timeout=10).json() == [{"Vendor_Code": "VOLTCO", "Name": "Volt Electric"}]
    assert requests.get(f"{simulator.url}/vendors/XYZ", auth=("ABC", "PORTALTEST"), timeout=10).json()[0]["Error_Code"] == "E"


# Notes and sections


def test_a_note_needs_its_change_request_and_appends_or_replaces(simulator, soap, put):
    note = {**KEYS, "Type": "CR", "CR_CO_Number": "S014-003", "Notes_Text": "Portal CCO 17"}
    missing = soap("ChgReqChgOrderNotes", **note)
    put()
    soap("ChgReqChgOrderNotes", **note, Append_Note="Y")
    soap("ChgReqChgOrderNotes", **{**note, "Notes_Text": "again"}, Append_Note="Y")
    both = simulator.ledger()[0]["notes"]
    soap("ChgReqChgOrderNotes", **{**note, "Notes_Text": "alone"})

    assert [(row["error_code"], row["column"]) for row in missing] == [("I", "CR_CO_Number")]
    assert [one["Notes_Text"] for one in both] == ["Portal CCO 17", "again"]
    assert [one["Notes_Text"] for one in simulator.ledger()[0]["notes"]] == ["alone"]


def test_a_note_names_what_is_missing(soap):
    rows = soap("ChgReqChgOrderNotes", Company_Code="ABC", Type="CR")

    assert [row["column"] for row in rows] == ["Job_Number", "Customer_Code", "CR_CO_Number", "Notes_Text"]


def test_billing_markup_and_addon_are_kept_and_replaced_by_their_keys(simulator, put):
    put(CR_Billing_Item_Code="10", CR_Revenue="5", Markup_Cost_Type="SUB", Markup_Percent="2.5", Pricing_Addon_Code="FEE")
    put(CR_Billing_Item_Code="10", CR_Revenue="7", Markup_Cost_Type="SUB", Markup_Percent="3", Pricing_Addon_MU_Amount="1")
    put(CR_Billing_Item_Code="11", CR_Revenue="9")

    (request,) = simulator.ledger()
    assert [(one["CR_Billing_Item_Code"], one["CR_Revenue"]) for one in request["billing"]] == [("10", "7.00"), ("11", "9.00")]
    assert [one["Markup_Percent"] for one in request["markups"]] == ["3.00"]
    assert [one["Pricing_Addon_Code"] for one in request["addons"]] == ["FEE"]
    assert len(request["lines"]) == 1


def test_a_server_that_adds_amounts_can_be_had(simulator, put):
    simulator.options(adds_amounts=True)
    put()
    put(Change_Request_Amount="-0.25", Sub_Amount="")
    put(CR_Phase_Code="033000")

    lines = simulator.ledger()[0]["lines"]
    assert [(line["Change_Request_Amount"], line["Sub_Amount"]) for line in lines] == [("4249.75", "4250.00"), ("4250.00", "4250.00")]


def test_the_991st_billing_entry_is_refused(simulator, put):
    simulator.control("change-requests", [{**KEYS, "CR_Status": "CR", "CR_Billing_Item_Code": str(number)} for number in range(990)])

    assert put(CR_Billing_Item_Code="990") == [("I", "CR_Billing_Item_Code")]
    assert put(CR_Billing_Item_Code="989") == []
    assert put() == []


@pytest.mark.parametrize("place", ["Change_Order_Number", "Draw_Number"])
def test_what_is_on_a_draw_or_change_order_is_not_changed(simulator, put, place):
    put()
    simulator.control("change-requests", [{**KEYS, place: "7"}])

    assert put(Change_Request_Amount="1") == [("I", "Change_Request_Number")]
    assert simulator.ledger()[0]["lines"][0]["Change_Request_Amount"] == "4250.00"


# People, clock, session


def test_a_person_may_edit_between_two_calls(simulator, put):
    simulator.fail("person", nth=2, record={"CR_Description": "Typed by hand", "CR_Status": "AP"})
    put()
    before = simulator.ledger()[0]["CR_Description"]
    put(CR_Description="", CR_Status="", Cost_Reimbursable_Flag="Y")

    assert before == "CCO-003: Relocate duct bank"
    assert (simulator.ledger()[0]["CR_Description"], simulator.ledger()[0]["CR_Status"]) == ("Typed by hand", "AP")


def test_a_number_taken_by_a_person_is_changed_without_a_word(simulator, put):
    simulator.control("change-requests", [{**KEYS, "CR_Description": "Something else", "CR_Status": "CR"}])

    assert put() == []
    assert simulator.ledger()[0]["CR_Description"] == "CCO-003: Relocate duct bank"


@pytest.mark.parametrize("wanted", [[{"Job_Number": "24-117"}], [{**KEYS, "Colour": "red"}], 7, [7]])
def test_a_change_request_by_hand_must_be_one(simulator, wanted):
    assert requests.post(f"{simulator.url}/__sim/change-requests", json=wanted, timeout=10).status_code == 422


def test_a_session_unused_for_a_day_has_timed_out(simulator, soap, record):
    soap("ARChangeRequest", GUID="g", **record())
    simulator.control("clock", {"advance_s": 23 * 3600})
    in_time = soap("ARChangeRequest", GUID="g", **record())
    simulator.control("clock", {"advance_s": 25 * 3600})
    late = soap("ARChangeRequest", GUID="g", **record())

    assert in_time == []
    assert [(row["error_code"], row["desc"], row["column"]) for row in late] == [("A", "Time out has occurred", "GUID")]
    assert soap("GetJob", GUID="g", pCompany_Code="ABC")


def test_the_clock_decides_the_processing_date(simulator, put):
    now = simulator.control("clock", {"now": "2026-02-03T10:00:00Z"})["now"]
    put(Origination_Date="", Sub_Change_Order_Date="02/03/2026")

    assert now.startswith("2026-02-03T10:00:0")
    assert simulator.ledger()[0]["Origination_Date"] == "02/03/2026"
    assert simulator.journal()[0]["at"].startswith("2026-02-03T10:00:0")


def test_a_label_may_be_asked_for(simulator, put):
    simulator.options(strict_guid=True)

    assert put() == [("M", "GUID")]
    assert put(GUID="g") == []


@pytest.mark.parametrize(
    ("what", "wanted"),
    [
        ("options", {"colour": True}),
        ("options", {"enhanced": 1}),
        ("options", {"lead_s": "x"}),
        ("clock", {"now": "yesterday"}),
        ("clock", []),
        ("secret", {"id": "NOBODY", "do": "expire"}),
        ("secret", {"id": "PORTALTEST", "do": "sing"}),
        ("authorization", {}),
        ("faults", [{"fault": "refuse", "probability": "often"}]),
        ("faults", [{"fault": "person", "record": {"Colour": "red"}}]),
    ],
)
def test_a_control_that_makes_no_sense_is_refused(simulator, what, wanted):
    assert requests.post(f"{simulator.url}/__sim/{what}", json=wanted, timeout=10).status_code == 422


# Enhanced authentication


def test_there_are_no_tokens_while_they_are_switched_off(simulator):
    assert post(simulator, "/connect/token", FORM).status_code == 404
    assert post(simulator, "/secretRotation", FORM).status_code == 404


def test_a_token_is_had_for_the_secret(simulator):
    simulator.options(enhanced=True, token_s=60)

    answer = post(simulator, "/connect/token", FORM).json()

    assert {name: answer[name] for name in ("expires_in", "token_type", "scope")} == {
        "expires_in": 60,
        "token_type": "Bearer",
        "scope": "spectrumapi",
    }


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "NOBODY"}, "invalid_client"),
        ({"client_id": "RETIRED"}, "invalid_client"),
        ({"scope": "all"}, "invalid_scope"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_a_token_is_refused(simulator, change, error):
    simulator.options(enhanced=True)

    answer = post(simulator, "/connect/token", {**FORM, **change})

    assert (answer.status_code, answer.json()) == (400, {"error": error})


def test_a_token_runs_out(simulator, tmp_path, record):
    simulator.options(enhanced=True, token_s=60)
    token = post(simulator, "/connect/token", FORM).json()["access_token"]
    header = {"Authorization": f"Bearer {token}"}

    fresh = requests.get(f"{simulator.url}/vendors/ABC", headers=header, timeout=10).status_code
    simulator.control("clock", {"advance_s": 61})

    assert fresh == 200
    assert requests.get(f"{simulator.url}/vendors/ABC", headers=header, timeout=10).status_code == 401


def test_a_rotated_secret_survives_a_restart_and_is_in_no_journal(simulator):
    simulator.options(enhanced=True)
    secret = post(simulator, "/secretRotation", FORM).json()["client_secret"]

    simulator.restart()
    simulator.options(enhanced=True)

    assert post(simulator, "/connect/token", FORM).status_code == 400
    assert post(simulator, "/connect/token", {**FORM, "client_secret": secret}).status_code == 200
    told = json.dumps(simulator.journal("token") + simulator.journal("secretRotation"))
    assert secret not in told
    assert "simulated-secret" not in told


# TLS, faults


@pytest.fixture(scope="module")
def over_tls(tmp_path_factory, master):
    process = SimulatorProcess(tmp_path_factory.mktemp("secure"), master, certificate=CERTIFICATE)
    yield process
    process.kill()


@pytest.fixture
def secure(over_tls):
    """Empty, and with no fault that another test asked for."""
    over_tls.start_over()
    return over_tls


def test_it_speaks_tls_with_a_certificate(secure, tmp_path, record):
    spectrum = Spectrum(secure.url, "PORTALTEST", tmp_path, ca_bundle=CERTIFICATE)

    assert spectrum.change_request(record(), "g").http == 200
    with pytest.raises(NotSent, match="certificate"):
        Spectrum(secure.url, "PORTALTEST", tmp_path / "other").change_request(record(), "g")


def test_it_may_refuse_tls_and_nothing_was_sent(secure, tmp_path, record):
    secure.fail("tls_refused", method="connection", times=1)

    with pytest.raises(NotSent, match="Nothing was sent to Spectrum") as problem:  # a reset in mid handshake looks now one way, now another
        Spectrum(secure.url, "PORTALTEST", tmp_path, ca_bundle=CERTIFICATE).change_request(record(), "g")

    assert problem.value.cause == "tls"
    assert secure.journal() == []


def test_a_torn_tls_connection_after_the_request_is_unknown(secure, tmp_path, record):
    secure.fail("commit_then_reset")

    with pytest.raises(OutcomeUnknown):
        Spectrum(secure.url, "PORTALTEST", tmp_path, ca_bundle=CERTIFICATE).change_request(record(), "g")

    assert len(secure.ledger()) == 1


def test_faults_by_chance_come_again_with_the_same_seed(simulator, put):
    def struck(seed):
        simulator.heal()
        simulator.fail("refuse", probability=0.5, seed=seed, column="Job_Number")
        return [bool(put()) for _ in range(12)]

    first, again, other = struck(1), struck(1), struck(3)

    assert first == again != other
    assert 0 < sum(first) < 12


def test_faults_may_be_given_at_the_start(tmp_path, master, record):
    arguments = ["--fault", "ARChangeRequest:refuse:nth=2,column=Job_Number", "--fault", "wsdl:http_503", "--lead-time", "0.3"]
    process = SimulatorProcess(tmp_path / "data", master, arguments)
    try:
        spectrum = Spectrum(process.url, "PORTALTEST", tmp_path)
        spectrum.change_request(record(), "g")
        with pytest.raises(Refused, match="The job may be missing"):
            spectrum.change_request(record(), "g")
        first, second = process.journal()
    finally:
        process.kill()

    assert [first["outcome"], second["outcome"]] == ["stored", "refused"]


@pytest.mark.parametrize("text", ["ARChangeRequest", "ARChangeRequest:meteor", "*:refuse:colour=red", "*:refuse:nth", "*:refuse:nth=x"])
def test_a_fault_that_makes_no_sense_is_one_clear_sentence(tmp_path, text):
    command = [sys.executable, "-m", "portal.cli", "simulator", "--port", "0", "--data", str(tmp_path), "--fault", text]

    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert "master data" not in done.stderr
    assert "Traceback" not in done.stderr


def test_the_lead_time_delays_the_work(simulator, record, tmp_path):
    simulator.options(lead_s=30)

    with pytest.raises(OutcomeUnknown):
        Spectrum(simulator.url, "PORTALTEST", tmp_path, deadline_s=0.7).change_request(record(), "g")

    assert [call["outcome"] for call in simulator.journal()] == ["received"]


def test_the_page_shows_notes_and_billing_too(simulator, soap, put):
    put(CR_Billing_Item_Code="10", CR_Revenue="77")
    soap("ChgReqChgOrderNotes", **KEYS, Type="CR", CR_CO_Number="S014-003", Notes_Text="<b>bold</b>")

    page = requests.get(f"{simulator.url}/", timeout=10).text

    assert "77.00" in page
    assert "&lt;b&gt;bold" in page


def test_books_of_an_earlier_version_are_kept(tmp_path, master, record):
    (tmp_path / "data").mkdir()
    with sqlite3.connect(tmp_path / "data" / "spectrum.db") as old:
        old.execute("CREATE TABLE CR_CHNG_REQ_HDR_MC (Company_Code TEXT, Job_Number TEXT, Customer_Code TEXT, Change_Request_Number TEXT)")
        old.execute("INSERT INTO CR_CHNG_REQ_HDR_MC VALUES ('ABC', '24-117', 'NORTHSIDE', 'OLD')")
    process = SimulatorProcess(tmp_path / "data", master)
    try:
        Spectrum(process.url, "PORTALTEST", tmp_path).change_request(record(), "g")

        assert [one["Change_Request_Number"] for one in process.ledger()] == ["OLD", "S014-003"]
    finally:
        process.kill()
