"""The simulator as a real Spectrum would meet a stranger: plain HTTP and a stock SOAP library, not our client."""

import socket
import subprocess
import sys
from xml.sax.saxutils import escape

import pytest
import requests
import zeep
from lxml import etree

from portal.spectrum.fields import FIELDS
from tests.spectrum.process import SimulatorProcess

MASK = "is invalid, value does not match specified field mask"
EXTREMES = {"-3.2": "-999.99", "-8.2": "-99999999.99", "-7.2": "-9999999.99", "-6.2": "-999999.99", "-10.2": "-9999999999.99"}
EXTREMES |= {"3.2": "999.99", "-5.4": "-99999.9999", "-3": "-999"}
NUMBERS = {
    "Fee_Percent": "-3.2",
    "Fee_Amount": "-8.2",
    "Change_Request_Quantity": "-7.2",
    "Change_Request_Hours": "-6.2",
    "Change_Request_Amount": "-10.2",
    "Sub_Amount": "-10.2",
    "Markup_Percent": "3.2",
    "Markup_Amount": "-10.2",
    "Pricing_Addon_MU_Amount": "-10.2",
    "CR_Unit_Price": "-5.4",
    "CR_Quantity": "-7.2",
    "CR_Revenue": "-10.2",
    "Rough_Estimate": "-8.2",
    "Requested_Days": "-3",
    "Approved_Days": "-3",
}
DATES = [field.name for field in FIELDS if field.kind == "date"]
NOT_SETTABLE = {"Approved_Date"}  # only with an approved status


@pytest.fixture
def put(simulator, record):
    """Call ARChangeRequest with these changes; gives the rows as (code, column, text)."""

    def call(**changes):
        values = {"Authorization_ID": "PORTALTEST", "GUID": "g", **record(), **changes}
        answer = post(simulator, envelope(values))
        assert answer.status_code == 200, answer.text
        return rows(answer)

    return call


def envelope(values, prefix="nis:", inner=""):
    elements = "".join(f"<{inner}{name}>{escape(value)}</{inner}{name}>" for name, value in values.items() if value is not None)
    return (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:nis="http://www.northgate-is.com/proiv/webservices/types"><soapenv:Header/><soapenv:Body>'
        f"<{prefix}ARChangeRequest>{elements}</{prefix}ARChangeRequest></soapenv:Body></soapenv:Envelope>"
    )


def post(simulator, body, service="ARChangeRequest"):
    return requests.post(f"{simulator.url}/ws/{service}", data=body.encode(), headers={"Content-Type": "text/xml"}, timeout=10)


def rows(answer):
    responses = etree.fromstring(answer.content).iter("response")
    return [(one.findtext("error_code"), one.findtext("column"), one.findtext("desc")) for one in responses]


def places(answer):
    return [(code, column) for code, column, _ in answer]


# The wire


def test_a_stock_soap_client_loads_the_wsdl_and_calls_it(simulator, record):
    client = zeep.Client(f"{simulator.url}/wsdls/ARChangeRequest.jws")

    client.service.ARChangeRequest(Authorization_ID="PORTALTEST", GUID="", **record())

    assert simulator.ledger()[0]["Change_Request_Number"] == "S014-003"


def test_the_wsdl_declares_56_strings_in_table_order(simulator):
    answer = requests.get(f"{simulator.url}/wsdls/ARChangeRequest.jws", timeout=10)
    schema = etree.fromstring(answer.content).find(".//{http://www.w3.org/2001/XMLSchema}sequence")

    assert [one.get("name") for one in schema] == [field.name for field in FIELDS]
    assert {(one.get("type"), one.get("nillable"), one.get("minOccurs")) for one in schema} == {("xsd:string", "false", None)}
    assert f'soapAction="{simulator.url}/ws/ARChangeRequest"' in answer.text


def test_success_is_an_empty_array_in_the_published_dress(simulator, record):
    answer = post(simulator, envelope({"Authorization_ID": "PORTALTEST", "GUID": "g", **record()}))

    assert 'SOAP-ENV:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"' in answer.text
    assert '<nis:ARChangeRequestResponse xmlns:nis="http://www.northgate-is.com/proiv/webservices/types">' in answer.text
    assert "<returnArray></returnArray>" in answer.text


def test_qualified_children_are_taken_too(simulator, record):
    answer = post(simulator, envelope({"Authorization_ID": "PORTALTEST", "GUID": "", **record()}, inner="nis:"))

    assert rows(answer) == []
    assert len(simulator.ledger()) == 1


@pytest.mark.parametrize("name", [field.name for field in FIELDS])
def test_a_missing_element_faults(simulator, record, name):
    answer = post(simulator, envelope({"Authorization_ID": "PORTALTEST", "GUID": "g", **record(), name: None}))

    assert answer.status_code == 500
    assert "<faultstring>Error executing Web Service</faultstring>" in answer.text
    assert simulator.ledger() == []
    assert [call["outcome"] for call in simulator.journal()] == ["fault"]


def swapped(names):
    first, second, *others = names
    return [second, first, *others]


@pytest.mark.parametrize(
    ("arranged", "told"),
    [
        (lambda names: names[::-1], "out of order from "),
        (swapped, "out of order from GUID on"),
        (lambda names: [*names, "Sub_Amount"], "more than once: Sub_Amount"),
        (lambda names: [*names, "Sub_Total"], "unknown elements: Sub_Total"),
    ],
    ids=["reversed", "swapped", "twice", "unknown"],
)
@pytest.mark.parametrize("inner", ["", "nis:"])
def test_elements_that_the_wsdl_does_not_allow_fault(simulator, record, arranged, told, inner):
    values = {"Authorization_ID": "PORTALTEST", "GUID": "g", **record()}
    elements = "".join(f"<{inner}{name}>{escape(values.get(name, '1.00'))}</{inner}{name}>" for name in arranged(list(values)))

    answer = post(simulator, envelope({}).replace("<nis:ARChangeRequest>", f"<nis:ARChangeRequest>{elements}"))

    assert answer.status_code == 500
    assert "<faultstring>Error executing Web Service</faultstring>" in answer.text
    assert simulator.ledger() == []
    assert [(call["outcome"], told in str(call["rows"])) for call in simulator.journal()] == [("fault", True)]


def test_an_element_with_elements_inside_faults(simulator, record):
    values = {"Authorization_ID": "PORTALTEST", "GUID": "g", **record()}

    answer = post(simulator, envelope(values).replace("<GUID>g</GUID>", "<GUID>g<b/></GUID>"))

    assert answer.status_code == 500
    assert simulator.ledger() == []


@pytest.mark.parametrize("body", ["", "<half", "<a/>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", envelope({}), envelope({}, prefix="")])
def test_what_is_not_a_call_faults(simulator, body):
    assert post(simulator, body).status_code == 500


@pytest.mark.parametrize("path", ["wsdls/GetVendors.jws", "wsdls/ARChangeRequest", "wsdls/../x", "elsewhere"])
def test_an_unknown_address_is_a_404_in_html(simulator, path):
    answer = requests.get(f"{simulator.url}/{path}", timeout=10)

    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")


def test_a_service_takes_posts_only(simulator):
    assert requests.get(f"{simulator.url}/ws/ARChangeRequest", timeout=10).status_code == 405
    assert post(simulator, "", "ARChangeOrder").status_code == 404


def test_the_connection_test_says_s(simulator):
    service = zeep.Client(f"{simulator.url}/wsdls/WSTestConnection.jws", settings=zeep.Settings(raw_response=True)).service

    assert places(rows(service.WSTestConnection(Authorization_ID="PORTALTEST", Version="2"))) == [("S", "")]
    assert places(rows(service.WSTestConnection(Authorization_ID="NOBODY", Version="2"))) == [("A", "Authorization_ID")]
    assert places(rows(service.WSTestConnection(Authorization_ID="PORTALTEST", Version=""))) == [("M", "Version")]


# Levels of checks


def test_an_unknown_authorization_id_gets_the_published_text(put):
    text = "The Web Service is not authorized. Authorization ID is not setup in the system."

    assert put(Authorization_ID="NOBODY") == [("A", "Authorization_ID", text)]


@pytest.mark.parametrize("identity", ["", "RETIRED", "ONLYJOBS", "OTHERFIRM"])
def test_authorisation_comes_before_everything_else(put, identity):
    assert places(put(Authorization_ID=identity, Change_Request_Amount="", Origination_Date="1/2/22")) == [("A", "Authorization_ID")]


def test_an_authorization_id_may_be_switched_off_and_on(simulator, put):
    simulator.authorize("PORTALTEST", active=False)
    refused = put()
    simulator.authorize("PORTALTEST", active=True)

    assert places(refused) == [("A", "Authorization_ID")]
    assert put() == []


def test_required_elements_are_asked_for_together_and_before_masks(put):
    names = ["Company_Code", "Job_Number", "Customer_Code", "Change_Request_Hours", "Change_Request_Amount", "Subcontractor_Code"]
    answer = put(Origination_Date="1/2/22", **dict.fromkeys(names, " "))

    assert places(answer) == [("M", name) for name in names]
    assert answer[0][2] == "Company_Code must be supplied"


@pytest.mark.parametrize(("name", "form"), NUMBERS.items())
def test_a_number_must_fit_its_mask(put, name, form):
    extreme = EXTREMES[form]
    wrong = [f"{extreme}0", extreme.replace("9", "99", 1), "1,0", "$1", "1-", "- 1", "+1", "1E2", "x", "١", ".", "1 0"]
    wrong += ["1.1"] if form == "-3" else ["1.23456"]
    wrong += ["-1.00"] if form == "3.2" else []

    for value in wrong:
        assert put(**{name: value}) == [("I", name, f"{name} {MASK}")], value
    for value in ("0", "1", extreme):
        assert ("I", name) not in places(put(**{name: value})), value


@pytest.mark.parametrize("name", DATES)
def test_a_date_must_fit_its_mask(put, name):
    for value in ("1/2/22", "01-02/2026", "05222026", "2026-05-22", "13/01/2026", "02/30/2026", "00/10/2026", "05/22/26", "05.22.2026"):
        assert put(**{name: value}) == [("I", name, f"{name} {MASK}")], value
    for value in ("05/22/2026", "05-22-2026"):
        assert name in NOT_SETTABLE or put(**{name: value}) == [], value


@pytest.mark.parametrize("name", ["Job_Number", "Customer_Code", "Change_Request_Number", "CR_Phase_Code", "Subcontract_Number"])
def test_a_key_must_not_hold_forbidden_characters(put, name):
    for character in "/*?\"'><#,&~":
        assert put(**{name: f"A{character}"}) == [("I", name, f"{name} {MASK}")], character


@pytest.mark.parametrize("field", [field for field in FIELDS[2:] if field.kind == "text" and not field.key], ids=lambda field: field.name)
def test_text_that_is_too_long_is_cut_without_a_word(simulator, put, field):
    rejected = places(put(**{field.name: "x" * (field.width + 1)}))

    assert rejected in ([], [("I", field.name)])  # a status of three letters is cut to two that do not exist
    for request in simulator.ledger():
        assert {**request, **request["lines"][0]}.get(field.name, "x" * field.width) == "x" * field.width


# Rules of the service


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"Authorization_ID": "SECOND", "Company_Code": "ZZZ"}, [("I", "Company_Code")]),
        ({"Job_Number": "99-999"}, [("I", "Job_Number")]),
        ({"Customer_Code": "NOBODY"}, [("I", "Customer_Code")]),
        ({"Customer_Code": "LAKEVIEW"}, [("I", "Customer_Code")]),
        ({"Job_Number": "24-118", "Subcontract_Number": "SC-118"}, [("I", "Customer_Code")]),
        ({"Job_Number": "23-001", "Customer_Code": "LAKEVIEW", "Subcontract_Number": "SC-OLD"}, [("I", "Job_Number")]),
        ({"CR_Status": ""}, [("M", "CR_Status")]),
        ({"CR_Status": "ZZ"}, [("I", "CR_Status")]),
        ({"CR_Status": "AP"}, [("I", "Cost_Reimbursable_Flag")]),
        ({"CR_Status": "AP", "Cost_Reimbursable_Flag": "Y", "Approved_Date": "06/30/2026"}, []),
        ({"CR_Status": "AP", "Cost_Reimbursable_Flag": "Y", "Approved_Date": "07/01/2026"}, [("I", "Approved_Date")]),
        ({"Cost_Reimbursable_Flag": "X"}, [("I", "Cost_Reimbursable_Flag")]),
        ({"Cost_Reimbursable_Flag": "Y"}, []),
        ({"Approved_Date": "05/22/2026"}, [("I", "Approved_Date")]),
        ({"CR_Phase_Code": "999999"}, [("I", "CR_Phase_Code")]),
        ({"CR_Cost_Type": "LAB"}, [("I", "CR_Phase_Code")]),
        ({"CR_Phase_Code": "010000"}, [("I", "CR_Phase_Code")]),
        ({"CR_Phase_Code": "16-2000"}, [("I", "CR_Phase_Code")]),
        ({"CR_Cost_Type": ""}, [("M", "CR_Cost_Type")]),
        ({"CR_Phase_Code": ""}, [("M", "CR_Phase_Code")]),
        ({"Subcontractor_Code": "NOBODY"}, [("I", "Subcontract_Number")]),
        ({"Subcontract_Number": "SC-999"}, [("I", "Subcontract_Number")]),
        ({"Subcontract_Number": ""}, [("I", "Subcontract_Number")]),
        ({"Subcontract_Number": "SC-OLD"}, [("I", "Subcontract_Number")]),
        ({"Subcontract_Number": "SC-UNIT"}, [("I", "Sub_Bid_Item_Code")]),
        ({"Subcontract_Number": "SC-UNIT", "Sub_Bid_Item_Code": "9"}, [("I", "Sub_Bid_Item_Code")]),
        ({"Subcontract_Number": "SC-UNIT", "Sub_Bid_Item_Code": "7"}, []),
        ({"Sub_Status": ""}, [("M", "Sub_Status")]),
        ({"Sub_Status": "X"}, [("I", "Sub_Status")]),
        ({"Sub_Status": "R"}, []),
        ({"Sub_Status": "E"}, [("M", "Sub_Change_Order_Number")]),
        ({"Sub_Status": "E", "Sub_Change_Order_Number": "13"}, [("I", "Sub_Change_Order_Number")]),
        ({"Sub_Status": "E", "Sub_Change_Order_Number": "12"}, []),
        ({"Sub_Change_Order_Date": "12/31/1999"}, [("I", "Sub_Change_Order_Date")]),
        ({"Sub_Change_Order_Date": "", "Origination_Date": "01/01/2100"}, [("I", "Sub_Change_Order_Date")]),
        ({"Markup_Percent": "5", "Markup_Amount": "10"}, [("I", "Markup_Amount")]),
        ({"Markup_Percent": "5"}, []),
        (
            {"CR_Status": "ZZ", "CR_Phase_Code": "999999", "Sub_Status": ""},
            [("I", "CR_Status"), ("I", "CR_Phase_Code"), ("M", "Sub_Status")],
        ),
    ],
)
def test_a_rule_of_the_service_is_kept(simulator, put, changes, expected):
    assert places(put(**changes)) == expected
    assert len(simulator.ledger()) == (0 if expected else 1)
    assert simulator.journal()[0]["outcome"] == ("refused" if expected else "stored")


# The books


def test_the_same_keys_replace_and_empty_keeps(simulator, put):
    put()
    put(Change_Request_Amount="-10", Sub_Amount="", Sub_Description="", CR_Description="Changed", CR_Status="", Origination_Date="")

    (request,) = simulator.ledger()
    (line,) = request["lines"]
    assert (request["CR_Description"], request["CR_Status"], request["Origination_Date"]) == ("Changed", "CR", "05/18/2026")
    assert (line["Change_Request_Amount"], line["Sub_Amount"], line["Sub_Description"]) == ("-10.00", "4250.00", "Relocate duct bank")


def test_each_part_of_the_line_key_makes_another_line(simulator, put):
    put()
    put(CR_Phase_Code="033000")
    put(Subcontract_Number="SC-UNIT", Sub_Bid_Item_Code="7")
    put(Subcontract_Number="SC-UNIT", Sub_Bid_Item_Code="8")
    put(Subcontract_Number="SC-UNIT", Sub_Bid_Item_Code="8", Sub_Bid_Group_Item_Code="A")

    assert [len(request["lines"]) for request in simulator.ledger()] == [5]


def test_each_number_makes_another_request(simulator, put):
    put()
    put(Change_Request_Number=" S014-003 ")
    put(Change_Request_Number="S014-004")

    assert [request["Change_Request_Number"] for request in simulator.ledger()] == ["S014-003", "S014-004"]


def test_a_blank_number_invents_one_each_time_and_tells_it(simulator, put):
    assert put(Change_Request_Number="") == [("G", "Change_Request_Number", "1")]
    assert put(Change_Request_Number="") == [("G", "Change_Request_Number", "2")]
    assert [request["Change_Request_Number"] for request in simulator.ledger()] == ["1", "2"]


def test_a_bid_item_means_nothing_on_a_fixed_price_subcontract(simulator, put):
    put()
    put(Sub_Bid_Item_Code="7", Sub_Bid_Group_Item_Code="A")

    assert [line["Sub_Bid_Item_Code"] for line in simulator.ledger()[0]["lines"]] == [""]


def test_a_signed_date_is_kept_only_when_executed(simulator, put):
    put(Sub_Signed_Date="05/20/2026")
    unsigned = simulator.ledger()[0]["lines"][0]["Sub_Signed_Date"]
    put(Sub_Signed_Date="05/20/2026", Sub_Status="E", Sub_Change_Order_Number="12")

    assert unsigned == ""
    assert simulator.ledger()[0]["lines"][0]["Sub_Signed_Date"] == "05/20/2026"


def test_a_guid_belongs_to_one_authorization_id(put):
    assert put(GUID="mine") == []
    assert put(GUID="mine") == []
    assert places(put(GUID="mine", Authorization_ID="SECOND")) == [("A", "GUID")]


def test_books_and_journal_survive_a_restart(simulator, put):
    put()
    before = simulator.ledger(), simulator.journal()

    simulator.restart()

    assert (simulator.ledger(), simulator.journal()) == before
    put(Change_Request_Amount="1")
    assert [line["Change_Request_Amount"] for line in simulator.ledger()[0]["lines"]] == ["1.00"]


def test_books_survive_a_kill_after_the_answer(simulator, put):
    put()

    simulator.kill()
    simulator.start()

    assert len(simulator.ledger()) == 1


def test_the_authorization_id_is_not_kept(simulator, put):
    put()
    put(Authorization_ID="NOBODY")

    assert not any("PORTALTEST" in str(call) or "NOBODY" in str(call) for call in simulator.journal())


# Faults, page, process


def test_faults_strike_when_they_are_told_to(simulator, put):
    simulator.fail("refuse", nth=2, code="M", column="CR_Status", text="by order")
    simulator.fail("refuse", every=3, column="Job_Number")
    simulator.fail("refuse", method="WSTestConnection")

    answers = [put() for _ in range(6)]

    assert [places(answer) for answer in answers] == [[], [("M", "CR_Status")], [("I", "Job_Number")], [], [], [("I", "Job_Number")]]
    assert simulator.journal()[1]["rows"] == [{"error_code": "M", "desc": "by order", "column": "CR_Status"}]
    simulator.heal()
    assert [put() for _ in range(3)] == [[], [], []]


def test_a_fault_may_strike_the_first_calls_only_and_commit_first(simulator, record):
    simulator.fail("http_500", times=2, commit=True)
    body = envelope({"Authorization_ID": "PORTALTEST", "GUID": "", **record()})

    assert [post(simulator, body).status_code for _ in range(3)] == [500, 500, 200]
    assert [(call["outcome"], call["fault"]) for call in simulator.journal()] == [("stored", "http_500")] * 2 + [("stored", "")]


@pytest.mark.parametrize("faults", [[{"fault": "meteor"}], [{"fault": "delay", "colour": "red"}], {"fault": "delay"}, ["delay"], [{}]])
def test_a_fault_that_does_not_exist_is_refused(simulator, faults):
    assert requests.post(f"{simulator.url}/__sim/faults", json=faults, timeout=10).status_code == 422


def test_the_page_shows_books_and_calls_and_nothing_runs_in_it(simulator, put):
    put(CR_Description="<script>alert(1)</script>")

    page = requests.get(f"{simulator.url}/", timeout=10)

    assert "S014-003: &lt;script&gt;" in page.text
    assert "<script" not in page.text
    assert "4250.00" in page.text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert requests.get(f"{simulator.url}/style.css", timeout=10).headers["Content-Type"].startswith("text/css")


def test_without_controls_there_is_only_what_a_real_server_has(tmp_path, master):
    command = [sys.executable, "-m", "portal.cli", "simulator", "--port", "0", "--data", str(tmp_path), "--master", str(master)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        url = process.stderr.readline().split()[-1]

        answers = [requests.get(f"{url}{path}", timeout=10).status_code for path in ("/__sim/ledger", "/__sim/ready", "/")]

        process.terminate()
    assert answers == [404, 404, 200]
    assert process.returncode == 0


def test_it_is_ready_when_it_says_so(simulator):
    assert requests.get(f"{simulator.url}/__sim/ready", timeout=10).json() == {"ready": True}


def test_it_stops_politely_even_while_a_call_hangs(tmp_path, master):
    process = SimulatorProcess(tmp_path, master)
    process.fail("commit_then_hang", method="*")
    with socket.create_connection(("127.0.0.1", process.port)) as hanging:
        body = envelope(dict.fromkeys([field.name for field in FIELDS], "")).encode()
        head = f"POST /{process.word}/ws/ARChangeRequest HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        hanging.sendall(head.encode() + body)

        assert process.stop() == 0


@pytest.mark.parametrize(("content", "message"), [("{", "not usable"), ('{"jobs": [{}]}', "not usable")])
def test_unusable_master_data_is_one_clear_sentence(tmp_path, content, message):
    broken = tmp_path / "master.json"
    broken.write_text(content)
    command = [sys.executable, "-m", "portal.cli", "simulator", "--port", "0", "--data", str(tmp_path), "--master", str(broken)]

    done = subprocess.run(command, capture_output=True, text=True, timeout=30)

    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
