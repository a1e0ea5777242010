"""Asking Spectrum: what it knows, whether that is all, and whether it is there. "Not known" is never "does not exist"."""

import json
import socket
from pathlib import Path

import pytest

from portal.spectrum.client import Enhanced, Spectrum
from portal.spectrum.records import Customer, Job, NotSent, Phase, Refused, Unanswered, Vendor, failure_class
from portal.spectrum.simulator import wire
from tests.spectrum.process import SimulatorProcess, write_master
from tests.spectrum.scripted import ScriptedServer, http, serving, silent

CERTIFICATE = str(Path(__file__).with_name("localhost.pem"))
JOB = {"Company_Code": "ABC", "Job_Number": "24-117", "Customer_Code": "N", "Contract_Number": "C", "Status_Code": "A"}


def ask(answer, folder, what="jobs", *arguments, **settings):
    """The answer of a question to a server that answers just so."""
    with serving(ScriptedServer(answer, status="404 Not Found")) as server:
        spectrum = Spectrum(server.url, "PORTALTEST", folder, deadline_s=5, **settings)
        return getattr(spectrum, what)("ABC", *arguments)


def get(rows, told=(), cut=0):
    body = wire.listing("GetJob", rows, told)
    return http(body[: len(body) - cut])


# What is known


def test_jobs_come_with_customer_contract_and_status(spectrum):
    found = spectrum.jobs("ABC")

    assert found.complete
    assert found.rows[0] == Job("24-117", "", "NORTHSIDE", "24-117", "A")
    assert [job.number for job in found.rows] == ["24-117", "24-118"]


def test_complete_jobs_are_listed_when_asked_for(spectrum):
    assert [job.number for job in spectrum.jobs("ABC", status="C").rows] == ["23-001"]


def test_phases_of_one_job(spectrum):
    found = spectrum.phases("ABC", "24-117")

    assert found.complete
    assert found.rows[0] == Phase("24-117", "162000", "SUB", "Duct bank", "A", "LS")
    assert [phase.phase for phase in found.rows] == ["162000", "033000"]
    assert [phase.phase for phase in spectrum.phases("ABC", "24-117", status="C").rows] == ["010000"]


def test_customers_and_active_vendors(spectrum, simulator):
    assert spectrum.customers("ABC").rows[0] == Customer("NORTHSIDE", "Northside Schools", "A")
    assert spectrum.vendors("ABC").rows == (Vendor("VOLTCO", "Volt Electric"),)

    simulator.options(wrap_vendors=True)
    assert spectrum.vendors("ABC").complete


def test_vendors_are_asked_for_with_a_token_where_tokens_are_wanted(simulator, tmp_path):
    simulator.options(enhanced=True)
    spectrum = Spectrum(simulator.url, "PORTALTEST", tmp_path, enhanced=Enhanced("PORTALTEST", "simulated-secret"))

    assert spectrum.vendors("ABC").rows
    assert spectrum.jobs("ABC").rows


def test_every_filter_is_sent_and_every_question_has_a_label_of_its_own(spectrum, simulator):
    spectrum.phases("ABC", "24-117")
    spectrum.phases("ABC", "24-117")

    first, second = (call["elements"] for call in simulator.journal("GetPhase"))
    assert {name: value for name, value in first.items() if value and name != "GUID"} == {"pCompany_Code": "ABC", "pJob_Number": "24-117"}
    assert set(first) >= {"pCost_Type", "pStatus_Code", "pCost_Center", "pSort_By"}
    assert len({first["GUID"], second["GUID"], ""}) == 3


@pytest.mark.parametrize(("what", "arguments"), [("jobs", [" "]), ("phases", ["ABC", ""]), ("customers", [""]), ("vendors", [""])])
def test_nothing_is_asked_without_a_filter(spectrum, simulator, what, arguments):
    with pytest.raises(ValueError, match="needs a company code"):
        getattr(spectrum, what)(*arguments)

    assert simulator.journal("GetJob") == simulator.journal("GetPhase") == []


def test_codes_are_trimmed(tmp_path):
    found = ask(get([{**JOB, "Job_Number": "   24-117 ", "Contract_Number": " "}]), tmp_path)

    assert (found.rows[0].number, found.rows[0].contract, found.complete) == ("24-117", "", True)


# What is not known


def test_no_rows_are_asked_for_again_without_a_label_and_then_not_known(spectrum, simulator):
    found = spectrum.phases("ABC", "99-999")

    assert (found.rows, found.complete) == ((), False)
    assert "operator" in found.reason
    assert [bool(call["guid"]) for call in simulator.journal("GetPhase")] == [True, False]


def test_a_server_that_dislikes_labels_is_asked_without(simulator, spectrum, monkeypatch):
    simulator.options(used_guid_empty=True)
    monkeypatch.setattr("uuid.uuid4", lambda: "always-the-same")

    assert spectrum.jobs("ABC").complete
    assert spectrum.jobs("ABC").complete
    assert [bool(call["guid"]) for call in simulator.journal("GetJob")] == [True, True, False]


def test_a_stop_at_500_rows_is_not_all(tmp_path):
    phases = [{"company": "ABC", "job": "24-117", "phase": f"{number:06}", "cost_type": "SUB"} for number in range(501)]
    process = SimulatorProcess(tmp_path / "data", write_master(tmp_path / "master.json", phases=phases))
    try:
        spectrum = Spectrum(process.url, "PORTALTEST", tmp_path)

        stopped = spectrum.phases("ABC", "24-117")
        process.options(get_stop=0)
        whole = spectrum.phases("ABC", "24-117")
    finally:
        process.kill()

    assert (len(stopped.rows), stopped.complete, stopped.reason) == (500, False, "Spectrum stopped at about 500 rows.")
    assert (len(whole.rows), whole.complete) == (501, False)


def test_a_warning_among_the_rows_is_not_all(tmp_path):
    found = ask(get([JOB], [wire.Row("W", "more", "")]), tmp_path)

    assert (len(found.rows), found.complete) == (1, False)
    assert found.reason == "Spectrum warned that its list is not whole."


@pytest.mark.parametrize("cut", [3, 30, 60, 90])
def test_missing_closing_tags_leave_the_rows_but_not_all(tmp_path, cut):
    found = ask(get([JOB, {**JOB, "Job_Number": "24-118"}], cut=cut), tmp_path)

    assert [job.number for job in found.rows] == ["24-117", "24-118"]
    assert (found.complete, found.reason) == (False, "Spectrum's answer was cut off at its end.")


def test_a_row_that_is_cut_does_not_count(tmp_path):
    whole = wire.listing("GetJob", [JOB, {**JOB, "Job_Number": "24-118"}])
    half = whole[: whole.rindex(b"<Error_Column>")]

    assert [job.number for job in ask(http(half), tmp_path).rows] == ["24-117"]


def test_rows_of_another_company_are_left_out(tmp_path):
    found = ask(get([JOB, {**JOB, "Company_Code": "XYZ"}]), tmp_path)

    assert (len(found.rows), found.complete) == (1, False)


@pytest.mark.parametrize("number", [500, 1000])
def test_a_suspiciously_round_number_of_vendors_is_not_all(tmp_path, number):
    rows = [{"Vendor_Code": f"V{one}", "Name": "x"} for one in range(number)]

    assert not ask(http(json.dumps(rows).encode()), tmp_path, "vendors").complete
    assert ask(http(json.dumps(rows[1:]).encode()), tmp_path, "vendors").complete


# What cannot be asked


@pytest.mark.parametrize("identity", ["NOBODY", "RETIRED", "OTHERFIRM"])
@pytest.mark.parametrize("what", ["jobs", "vendors"])
def test_who_may_not_ask_is_refused_access(simulator, tmp_path, identity, what):
    with pytest.raises(Refused) as refusal:
        getattr(Spectrum(simulator.url, identity, tmp_path), what)("ABC")

    assert failure_class(refusal.value.rows, refusal.value.http) == "access"


@pytest.mark.parametrize("fault", ["soap_fault", "http_500", "commit_then_reset", "empty_200", "html_200", "redirect", "dtd", "oversize"])
@pytest.mark.parametrize(("what", "method"), [("jobs", "GetJob"), ("vendors", "vendors")])
def test_an_answer_that_is_none_brings_nothing(spectrum, simulator, fault, what, method):
    simulator.fail(fault, method)

    with pytest.raises(Unanswered) as problem:
        getattr(spectrum, what)("ABC")

    assert "may or may not have been saved" not in str(problem.value)


@pytest.mark.parametrize("body", [b"{}", b'"x"', b"[1]", b'{"a": [], "b": []}', b"[" * 100_000, b"\xff"], ids=range(6))
def test_a_vendor_answer_that_is_no_list_brings_nothing(tmp_path, body):
    with pytest.raises(Unanswered, match="not a list"):
        ask(http(body), tmp_path, "vendors")


def test_what_signed_a_question_is_not_kept(tmp_path):
    echo = b'{"error": "Basic QUJDOlBPUlRBTFRFU1Q= PORTALTEST"}'

    with pytest.raises(Unanswered) as problem:
        ask(http(echo, "500 Error"), tmp_path, "vendors")

    assert problem.value.answer == '{"error": "Basic [credentials] [Authorization ID]"}'


# Is it there


def test_a_connection_that_works_says_where_and_how_long(spectrum):
    found = spectrum.test_connection("1.12")

    assert (found.ok, found.reached, found.advice) == (True, True, "")
    assert found.place.startswith("127.0.0.1:")
    assert 0 < found.seconds < 10
    assert "accepts the Authorization ID" in found.said


def test_a_complaint_about_the_version_counts_as_reached(spectrum):
    found = spectrum.test_connection("twelve")

    assert found.ok
    assert "Version" in found.said


@pytest.mark.parametrize("identity", ["NOBODY", "RETIRED", "ONLYJOBS"])
def test_a_refused_authorization_id_is_reached_and_not_well(simulator, tmp_path, identity):
    found = Spectrum(simulator.url, identity, tmp_path).test_connection("2")

    assert (found.ok, found.reached) == (False, True)
    assert found.advice.startswith("Make the Authorization ID active in Spectrum")


def test_an_expired_secret_is_told_by_the_test(simulator, tmp_path):
    simulator.options(enhanced=True)

    found = Spectrum(simulator.url, "PORTALTEST", tmp_path, enhanced=Enhanced("PORTALTEST", "wrong")).test_connection("2")

    assert (found.ok, found.reached) == (False, True)
    assert found.said.startswith("The Spectrum client secret has expired")


@pytest.mark.parametrize(
    ("fault", "words"),
    [("http_503", "not as Spectrum does"), ("html_200", "not as Spectrum does"), ("forbidden", "rejected the portal's sign-in")],
)
def test_a_stranger_at_the_address_is_told(spectrum, simulator, fault, words):
    simulator.fail(fault, "WSTestConnection")

    found = spectrum.test_connection("2")

    assert (found.ok, found.reached) == (False, True)
    assert words in found.said
    assert found.advice


def test_nobody_at_the_address(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    found = Spectrum(f"http://127.0.0.1:{port}", "PORTALTEST", tmp_path).test_connection("2")

    assert (found.ok, found.reached) == (False, False)
    assert "right port" in found.advice


def test_an_unknown_name_at_the_address(tmp_path):
    found = Spectrum("https://nowhere.invalid:8482", "PORTALTEST", tmp_path).test_connection("2")

    assert not found.reached
    assert found.advice == "Check SPECTRUM_URL and the name service."


def test_a_certificate_nobody_vouches_for(tmp_path):
    with silent(CERTIFICATE) as port:
        found = Spectrum(f"https://127.0.0.1:{port}", "PORTALTEST", tmp_path).test_connection("2")

    assert not found.reached
    assert "SPECTRUM_CA_BUNDLE" in found.advice


def test_an_address_that_never_answers_may_not_be_allowed(tmp_path, monkeypatch):
    def never(*arguments, **settings):
        raise TimeoutError

    monkeypatch.setattr("urllib3.util.connection.create_connection", never)

    found = Spectrum("http://127.0.0.1:9", "PORTALTEST", tmp_path, connect_s=0.2).test_connection("2")

    assert not found.reached
    assert "may not be allowed" in found.said
    assert "allowed addresses" in found.advice


def test_a_question_that_was_not_sent_is_told_apart(tmp_path):
    with pytest.raises(NotSent):
        Spectrum("https://nowhere.invalid:8482", "PORTALTEST", tmp_path).vendors("ABC")
