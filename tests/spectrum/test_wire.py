"""The client against servers that misbehave byte by byte: what was proved not sent, and what no answer can be made of."""

import gzip
import socket
import time
import zlib
from pathlib import Path

import pytest
from lxml import etree

from portal.spectrum.client import Spectrum
from portal.spectrum.records import NotSent, OutcomeUnknown, Refused, Row
from portal.spectrum.simulator import wire
from tests.spectrum.scripted import ScriptedServer, http, serving, silent

CERTIFICATE = str(Path(__file__).with_name("localhost.pem"))
GOOD = wire.answer("ARChangeRequest", [])
REFUSED = wire.answer("ARChangeRequest", [Row("I", "no", "CR_Status")])


def call(url, record, folder, **settings):
    return Spectrum(url, "PORTALTEST", folder, **{"connect_s": 2, "deadline_s": 5, **settings}).change_request(record(), "g")


def reordered():
    """A WSDL with a new element, and the Authorization ID in third place."""
    document = wire.wsdl("ARChangeRequest", "http://x")
    first = '<xsd:element name="Authorization_ID" type="xsd:string" nillable="false"/>'
    second = '<xsd:element name="GUID" type="xsd:string" nillable="false"/>'
    new = '<xsd:element name="New_Element" type="xsd:string" nillable="false"/>'
    return document.replace(f"{first}\n{second}", f"{second}\n{new}\n{first}").encode()


def order(server):
    """The elements of the last request, as they were sent."""
    body = server.requests[-1].partition(b"\r\n\r\n")[2]
    return [etree.QName(one).localname for one in etree.fromstring(body)[-1][0]]


def answered(answer, record, folder):
    with serving(ScriptedServer(answer)) as server:
        return call(server.url, record, folder)


def test_a_refused_connection_sent_nothing(record, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(NotSent, match=f"nothing could be reached at .*:{port}"):
        call(f"http://127.0.0.1:{port}", record, tmp_path)


def test_an_unknown_name_sent_nothing(record, tmp_path):
    with pytest.raises(NotSent, match="the name in nowhere"):
        call("https://nowhere.invalid:8482", record, tmp_path)


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1", "not an address", ""])
def test_an_unusable_address_sent_nothing(record, tmp_path, url):
    with pytest.raises(NotSent, match="its address is not usable"):
        call(url, record, tmp_path)


def test_a_server_that_speaks_no_tls_got_nothing(record, tmp_path, simulator):
    with pytest.raises(NotSent, match="no secure connection could be made"):
        call(simulator.url.replace("http:", "https:"), record, tmp_path)

    assert simulator.journal() == []


def test_a_certificate_nobody_vouches_for_gets_nothing(record, tmp_path):
    with silent(CERTIFICATE) as port, pytest.raises(NotSent, match=r"certificate of 127\.0\.0\.1:\d+ could not be verified"):
        call(f"https://127.0.0.1:{port}", record, tmp_path)


def test_a_handshake_that_never_ends_sent_nothing(record, tmp_path):
    with silent() as port, pytest.raises(NotSent):
        call(f"https://127.0.0.1:{port}", record, tmp_path, connect_s=0.5)


def test_a_certificate_of_the_given_authority_is_trusted(record, tmp_path):
    with silent(CERTIFICATE) as port, pytest.raises(NotSent, match="did not give its WSDL"):
        call(f"https://127.0.0.1:{port}", record, tmp_path, ca_bundle=CERTIFICATE)


UNUSABLE = [b"", b"<html></html>", b"not xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a/>', wire.answer("X", []), b"<a>" * 10_000]


@pytest.mark.parametrize("wsdl", UNUSABLE, ids=["empty", "html", "text", "dtd", "soap", "deep"])
def test_without_a_usable_wsdl_the_order_of_the_table_serves(record, tmp_path, wsdl):
    with serving(ScriptedServer(http(GOOD), wsdl)) as server:
        assert call(server.url, record, tmp_path).http == 200

    assert order(server) == ["Authorization_ID", "GUID", *record()]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", ["404 Not Found", "500 Error", "503 Unavailable", "302 Found", "401 Unauthorized"])
def test_a_server_that_gives_no_wsdl_gets_the_order_of_the_table(record, tmp_path, status):
    with serving(ScriptedServer(http(GOOD), status=status)) as server:
        assert call(server.url, record, tmp_path).http == 200

    assert order(server) == ["Authorization_ID", "GUID", *record()]


def test_after_a_fault_the_last_wsdl_serves_while_no_new_one_can_be_had(record, tmp_path):
    with serving(ScriptedServer(http(wire.fault(), "500 Error"), reordered())) as server:
        with pytest.raises(OutcomeUnknown):
            call(server.url, record, tmp_path)
        server.status = "503 Unavailable"
        with pytest.raises(OutcomeUnknown):
            call(server.url, record, tmp_path)

    assert [request[:3] for request in server.requests] == [b"GET", b"POS"] * 2
    assert order(server)[:3] == ["GUID", "New_Element", "Authorization_ID"]


def test_a_wsdl_that_points_elsewhere_is_not_followed(record, tmp_path):
    foreign = '<xsd:import namespace="urn:x" schemaLocation="http://127.0.0.1:9/x.xsd"/><xsd:element name="ARChangeRequest">'
    document = wire.wsdl("ARChangeRequest", "http://x").replace('<xsd:element name="ARChangeRequest">', foreign).encode()

    with serving(ScriptedServer(http(GOOD), document)) as server:
        call(server.url, record, tmp_path)

    assert order(server) == ["Authorization_ID", "GUID", *record()]


def test_a_server_without_an_element_we_need_is_not_called(record, tmp_path):
    document = wire.wsdl("ARChangeRequest", "http://x").replace("Sub_Comments", "Sub_Remarks").encode()

    with serving(ScriptedServer(http(GOOD), document)) as server, pytest.raises(NotSent, match="has no element Sub_Comments"):
        call(server.url, record, tmp_path)


def test_the_servers_own_order_and_further_elements_are_honoured(record, tmp_path):
    lines = wire.wsdl("ARChangeRequest", "http://x").split("\n")
    first = next(number for number, line in enumerate(lines) if "Authorization_ID" in line)
    lines[first], lines[first + 1] = lines[first + 1], lines[first].replace("/>", '/><xsd:element name="New" type="xsd:string"/>')

    with serving(ScriptedServer(http(GOOD), "\n".join(lines).encode())) as server:
        call(server.url, record, tmp_path)

    sent = server.requests[-1]
    assert sent.index(b"<GUID>") < sent.index(b"<Authorization_ID>") < sent.index(b"<New") < sent.index(b"<Company_Code>")


def test_a_second_port_for_soap_12_is_passed_over(record, tmp_path):
    document = wire.wsdl("ARChangeRequest", "http://x")
    soap12 = document.replace("http://schemas.xmlsoap.org/wsdl/soap/", "http://schemas.xmlsoap.org/wsdl/soap12/")
    binding = soap12[soap12.index("<wsdl:binding") : soap12.index("<wsdl:service")]
    binding = binding.replace("soap:", "soap12:").replace('name="ARChangeRequestBinding"', 'name="Other"')
    port = '<wsdl:port name="OtherPort" binding="tns:Other"><soap12:address location="http://x"/></wsdl:port><wsdl:port '
    both = document.replace("<wsdl:binding", f"{binding}<wsdl:binding").replace("<wsdl:port ", port)
    both = both.replace("xmlns:nis=", 'xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/" xmlns:nis=')

    with serving(ScriptedServer(http(GOOD), both.encode())) as server:
        call(server.url, record, tmp_path)

    assert b"http://schemas.xmlsoap.org/soap/envelope/" in server.requests[-1]


def test_a_folder_that_takes_no_file_is_no_obstacle(record, tmp_path):
    (tmp_path / "taken").write_text("a file where the folder should be")

    with serving(ScriptedServer(http(GOOD))) as server:
        assert call(server.url, record, tmp_path / "taken").http == 200


def test_the_wsdl_is_fetched_once_and_its_address_is_not_believed(record, tmp_path):
    with serving(ScriptedServer(http(GOOD))) as server:
        call(server.url, record, tmp_path)
        call(server.url, record, tmp_path)

    assert [request.split(b" ")[0] for request in server.requests] == [b"GET", b"POST", b"POST"]
    assert server.requests[1].startswith(b"POST /ws/ARChangeRequest HTTP/1.1")
    assert f'SOAPAction: "{server.url}/ws/ARChangeRequest"'.encode() in server.requests[1]
    assert b"Content-Type: text/xml; charset=utf-8" in server.requests[1]


def test_a_damaged_wsdl_file_is_fetched_again(record, tmp_path):
    with serving(ScriptedServer(http(GOOD))) as server:
        call(server.url, record, tmp_path)
        next(tmp_path.iterdir()).write_bytes(b"<half")
        call(server.url, record, tmp_path)

    assert [request.split(b" ")[0] for request in server.requests] == [b"GET", b"POST", b"GET", b"POST"]


def test_a_fault_makes_the_wsdl_be_read_anew(record, tmp_path):
    with serving(ScriptedServer(http(wire.fault(), "500 Error"))) as server:
        for _ in range(2):
            with pytest.raises(OutcomeUnknown):
                call(server.url, record, tmp_path)

    assert [request[:3] for request in server.requests] == [b"GET", b"POS"] * 2


def test_a_lost_connection_says_nothing_about_the_wsdl(record, tmp_path):
    with serving(ScriptedServer()) as server:
        for _ in range(2):
            with pytest.raises(OutcomeUnknown):
                call(server.url, record, tmp_path)

    assert [request[:3] for request in server.requests] == [b"GET", b"POS", b"POS"]


def test_a_wsdl_that_never_comes_sent_nothing(record, tmp_path):
    begun = time.monotonic()

    with silent() as port, pytest.raises(NotSent, match="did not give its WSDL"):
        call(f"http://127.0.0.1:{port}", record, tmp_path, deadline_s=0.7)

    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    "answer", [http(GOOD), b"HTTP/1.1 100 Continue\r\n\r\n" * 10, b"HTTP/1.1 200 OK\r\n\r\n" + GOOD], ids=["head", "continue", "endless"]
)
def test_an_answer_that_drips_from_its_first_byte_is_cut_at_the_deadline(record, tmp_path, answer):
    with serving(ScriptedServer(answer, pause=0.1)) as server, pytest.raises(OutcomeUnknown, match="did not answer in time") as doubt:
        call(server.url, record, tmp_path, deadline_s=1.5)

    assert doubt.value.http is None


@pytest.mark.parametrize("tenth", range(11))
def test_a_connection_cut_anywhere_in_the_request_is_unknown(record, tmp_path, tenth):
    with serving(ScriptedServer(http(GOOD))) as server:
        call(server.url, record, tmp_path)
        server.read = len(server.requests[-1]) * tenth // 10

        with pytest.raises(OutcomeUnknown):
            call(server.url, record, tmp_path)


BOMB = b"<!DOCTYPE a [" + b"".join(b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10 if n else b"ha") for n in range(9)) + b"]>" + REFUSED

ODD = {
    "nothing": b"",
    "not HTTP": b"hello\r\n\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-",
    "status 204": http(b"", "204 No Content"),
    "status 206": http(GOOD, "206 Partial Content"),
    "status 302": http(b"", "302 Found", Location="/ws/ARChangeRequest"),
    "status 404": http(b"<html/>", "404 Not Found"),
    "status 500 with a good body": http(GOOD, "500 Error"),
    "fault with 200": http(wire.fault()),
    "length too long": http(GOOD, Content_Length=str(len(GOOD) + 5)),
    "length too short": http(GOOD, Content_Length=str(len(GOOD) - 40)),
    "half a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n" + GOOD,
    "packed": http(gzip.compress(GOOD), Content_Encoding="gzip"),
    "two documents": http(GOOD + GOOD),
    "SOAP 1.2": http(GOOD.replace(b"http://schemas.xmlsoap.org/soap/envelope/", b"http://www.w3.org/2003/05/soap-envelope")),
    "wrong namespace": http(GOOD.replace(b"northgate", b"southgate")),
    "another service": http(wire.answer("ARChangeOrder", [])),
    "no envelope": http(b"<ARChangeRequestResponse/>"),
    "no wrapper": http(GOOD.replace(b"ARChangeRequestResponse", b"ARChangeRequest")),
    "no returnArray": http(GOOD.replace(b"<returnArray></returnArray>", b"")),
    "two returnArrays": http(GOOD.replace(b"<returnArray></returnArray>", b"<returnArray/><returnArray/>")),
    "stray text": http(GOOD.replace(b"<returnArray>", b"<returnArray>Error")),
    "an unknown part": http(GOOD.replace(b"<returnArray>", b"<returnArray><error>bad</error>")),
    "a Get answer": http(GOOD.replace(b"<returnArray>", b"<returnArray><returnData><getJob><response/></getJob></returnData>")),
    "a row without a code": http(REFUSED.replace(b"<error_code>I</error_code>", b"")),
    "a row with two codes": http(REFUSED.replace(b"<desc>", b"<error_code>G</error_code><desc>")),
    "a blank code": http(REFUSED.replace(b">I<", b"> <")),
    "a code in lower case": http(REFUSED.replace(b">I<", b">g<")),
    "a code with something invisible": http(REFUSED.replace(b">I<", ">G\u200b<".encode())),
    "an unknown code beside a refusal": http(wire.answer("ARChangeRequest", [Row("I", "no", "CR_Status"), Row("W", "hm", "")])),
    "an entity": http(b'<!DOCTYPE a [<!ENTITY x "G">]>' + REFUSED.replace(b">I<", b">&x;<")),
    "an entity from a file": http(b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>' + REFUSED.replace(b">no<", b">&x;<")),
    "too deep": http(b"<a>" * 100_000),
    "an element in another namespace": http(GOOD.replace(b"<returnArray>", b'<returnArray><x xmlns="urn:x"/>')),
    "several parts": http(b"--b\r\nContent-Type: text/xml\r\n\r\n" + GOOD + b"\r\n--b--", content_type='multipart/related; boundary="b"'),
    "a packed bomb": http(gzip.compress(b" " * 20_000_000), Content_Encoding="gzip"),
    "deflated": http(zlib.compress(GOOD), Content_Encoding="deflate"),
    "a header of 1 MB": http(GOOD, X=f"{'x' * 1_000_000}"),
    "a thousand headers": http(GOOD, **{f"X{number}": "x" for number in range(1000)}),
    "an entity bomb": http(BOMB),
    "an answer of another time": http(b""),
    "two lengths": http(GOOD, content_length="7"),
    "a status that is none": http(GOOD, "OK"),
    "HTTP 0.9": GOOD,
    "blank, then good": http(b" \n" + b'<?xml version="1.0"?>' + GOOD),
    "a row beside the array": http(GOOD.replace(b"</returnArray>", b"</returnArray><returnData/>")),
    "rows of a Get": http(wire.listing("GetJob", [], [Row("I", "no", "x")]).replace(b"GetJobResponse", b"ARChangeRequestResponse")),
    "a false encoding": http(b'<?xml version="1.0" encoding="UTF-16"?>' + GOOD),
}


@pytest.mark.parametrize("answer", ODD.values(), ids=ODD.keys())
def test_an_answer_that_is_not_understood_is_unknown(record, tmp_path, answer):
    with pytest.raises(OutcomeUnknown):
        answered(answer, record, tmp_path)


FINE = {
    "an empty array": GOOD,
    "an empty returnData": GOOD.replace(b"<returnArray>", b"<returnArray><returnData></returnData>"),
    "qualified children": GOOD.replace(b"returnArray>", b"nis:returnArray>"),
    "a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "UTF-16": ('<?xml version="1.0" encoding="UTF-16"?>' + GOOD.decode()).encode("utf-16"),
    "the default namespace": GOOD.replace(b"nis:ARChange", b"ARChange").replace(b"xmlns:nis", b"xmlns"),
    "another prefix": GOOD.replace(b"nis:", b"a:").replace(b"xmlns:nis", b"xmlns:a").replace(b"SOAP-ENV", b"s"),
    "comments": GOOD.replace(b"<returnArray>", b"<!-- good --><returnArray>"),
}


@pytest.mark.parametrize("body", FINE.values(), ids=FINE.keys())
def test_a_good_answer_may_be_written_in_several_ways(record, tmp_path, body):
    assert answered(http(body), record, tmp_path).rows == ()


def test_an_answer_in_chunks_is_read(record, tmp_path):
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(GOOD), GOOD)

    assert answered(chunked, record, tmp_path).http == 200


def test_an_answer_after_a_provisional_one_is_read(record, tmp_path):
    assert answered(b"HTTP/1.1 100 Continue\r\n\r\n" + http(GOOD), record, tmp_path).http == 200


def test_the_first_answer_on_a_connection_is_the_answer(record, tmp_path):
    with pytest.raises(Refused):
        answered(http(REFUSED) + http(GOOD), record, tmp_path)


def test_a_length_that_is_none_leaves_the_document_to_say_whether_it_is_whole(record, tmp_path):
    assert answered(http(GOOD, Content_Length="many"), record, tmp_path).http == 200
    with pytest.raises(OutcomeUnknown):
        answered(http(GOOD[:-9], Content_Length="many"), record, tmp_path)


def test_a_refusal_in_cdata_is_a_refusal(record, tmp_path):
    with pytest.raises(Refused):
        answered(http(REFUSED.replace(b">I<", b"><![CDATA[I]]><")), record, tmp_path)


@pytest.mark.parametrize(("part", "outcome"), [(1.0, 200), (0.9, None), (0.5, None), (0.0, None)])
def test_tls_that_ends_without_a_farewell_is_judged_by_the_document(record, tmp_path, part, outcome):
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n" + GOOD[: int(len(GOOD) * part)].rstrip()

    with serving(ScriptedServer(answer, certificate=CERTIFICATE)) as server:
        if outcome:
            assert call(server.url, record, tmp_path, ca_bundle=CERTIFICATE).http == outcome
        else:
            with pytest.raises(OutcomeUnknown):
                call(server.url, record, tmp_path, ca_bundle=CERTIFICATE)


def test_chunks_without_end_are_cut(record, tmp_path):
    endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"4000\r\n" + b" " * 0x4000 + b"\r\n"

    with pytest.raises(OutcomeUnknown):
        answered(endless + (b"4000\r\n" + b" " * 0x4000 + b"\r\n") * 400, record, tmp_path)


def test_several_refusals_are_all_told(record, tmp_path):
    rows = [Row("M", "Sub_Status must be supplied", "Sub_Status"), Row("I", "a <b> & c", "Origination_Date"), Row("G", "x", "GUID")]

    with pytest.raises(Refused) as refusal:
        answered(http(wire.answer("ARChangeRequest", rows)), record, tmp_path)

    assert refusal.value.rows == tuple(rows)
    assert "needs a subcontract status. Spectrum said: “Sub_Status must be supplied”." in str(refusal.value)
    assert "Spectrum said: “a <b> & c”." in str(refusal.value)


@pytest.mark.parametrize("text", ["S014-004", "Change request 0017 added", "S014-0031"])
def test_a_record_that_landed_under_another_number_is_unknown(record, tmp_path, text):
    body = wire.answer("ARChangeRequest", [Row("G", text, "Change_Request_Number")])

    with pytest.raises(OutcomeUnknown, match="under another number") as doubt:
        answered(http(body), record, tmp_path)

    assert doubt.value.rows == (Row("G", text, "Change_Request_Number"),)


@pytest.mark.parametrize("text", ["S014-003", " s014-003 ", "Change request S014-003 was updated.", "updated", ""])
def test_a_row_that_names_our_number_or_none_is_good(record, tmp_path, text):
    body = wire.answer("ARChangeRequest", [Row("G", text, "Change_Request_Number")])

    assert answered(http(body), record, tmp_path).http == 200


def test_a_text_without_end_is_kept_short(record, tmp_path):
    with pytest.raises(Refused) as refusal:
        answered(http(wire.answer("ARChangeRequest", [Row("I", "é" * 1_000_000, "CR_Status")])), record, tmp_path)

    assert len(refusal.value.answer.encode()) <= 4096
    assert len(str(refusal.value)) < 1000
