"""What goes over the wire is small; what another site asked for is sent as it is."""

import gzip
import re

import pytest
from flask import url_for

from portal.web import static_files
from portal.web.compression import ENCODINGS, zstd
from tests.conftest import HTMX, sign_in

DECODE = {"zstd": zstd.decompress, "gzip": gzip.decompress}
BROWSER = {"Accept-Encoding": "gzip, deflate, br, zstd"}
FILE = re.compile(r'(?:href|src)="(/static/[^"#]+)')


@pytest.fixture
def list_of_fifty(make_change_order):
    for number in range(50):
        make_change_order("ready", number=f"{number + 1:03}", title=f"Relocate gate {number * 7}")


@pytest.mark.parametrize("encoding", ["zstd", "gzip"])
def test_a_page_is_sent_in_an_encoding_that_the_browser_reads(client, ana, encoding):
    sign_in(client, ana)

    answer = client.get("/change-orders", headers={"Accept-Encoding": encoding})

    assert answer.headers["Content-Encoding"] == encoding
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert DECODE[encoding](answer.data).decode() == client.get("/change-orders").text


@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0", "zstd;q=0, gzip;q=0"])
def test_a_browser_that_reads_none_gets_the_page_as_it_is(client, ana, accepted):
    answer = sign_in(client, ana).get("/change-orders", headers={"Accept-Encoding": accepted})

    assert "Content-Encoding" not in answer.headers
    assert "<html" in answer.text


def test_of_two_encodings_the_better_one_is_taken_unless_the_browser_prefers_the_other(client):
    assert client.get("/login", headers=BROWSER).headers["Content-Encoding"] == "zstd"
    assert client.get("/login", headers={"Accept-Encoding": "zstd;q=0.5, gzip"}).headers["Content-Encoding"] == "gzip"


def test_what_fits_into_one_packet_and_what_is_streamed_are_sent_as_they_are(client, eve):
    sign_in(client, eve)

    for path in ("/version", "/nope", "/settings/audit.csv"):
        assert "Content-Encoding" not in client.get(path, headers=BROWSER | HTMX).headers


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_an_answer_that_another_site_caused_is_sent_as_it_is(client, ana, site):
    sign_in(client, ana)

    assert "Content-Encoding" not in client.get("/change-orders", headers=BROWSER | {"Sec-Fetch-Site": site}).headers
    assert "Content-Encoding" in client.get("/change-orders", headers=BROWSER | {"Sec-Fetch-Site": "same-origin"}).headers


@pytest.mark.parametrize("name", static_files.FILES)
@pytest.mark.parametrize("encoding", ["zstd", "gzip"])
def test_a_static_file_is_sent_compressed_as_small_as_it_can_be(client, name, encoding):
    plain = client.get(f"/static/{name}")

    answer = client.get(f"/static/{name}", headers={"Accept-Encoding": encoding})

    assert answer.headers["Content-Encoding"] == encoding
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert DECODE[encoding](answer.data) == plain.data
    assert answer.data == ENCODINGS[encoding].small(plain.data)
    assert answer.content_type == plain.content_type


def test_a_browser_that_has_a_static_file_is_told_to_keep_it(client):
    address = url_of(client, "portal.css")
    answer = client.get(address, headers=BROWSER)

    again = client.get(address, headers=BROWSER | {"If-None-Match": answer.headers["ETag"]})

    assert (again.status_code, again.data) == (304, b"")
    assert "immutable" in answer.headers["Cache-Control"]


def test_no_browser_keeps_a_file_under_the_address_of_another_version(client):
    answer = client.get("/static/portal.css?v=0123456789ab")

    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")


def url_of(client, filename):
    with client.application.test_request_context():
        return url_for("static", filename=filename)


@pytest.mark.parametrize("path", ["vendor/README.md", "draft_recovery.js", "vendor/htmx.min.js", "../config.py", ""])
def test_no_other_file_of_the_folder_is_served(client, path):
    assert client.get(f"/static/{path}").status_code == 404


@pytest.mark.parametrize("encoding", ["zstd", "gzip"])
def test_the_ready_page_takes_four_requests_and_few_bytes(client, ana, list_of_fifty, encoding):
    accepted = {"Accept-Encoding": encoding}
    page = sign_in(client, ana).get("/change-orders?view=ready", headers=accepted)
    files = set(FILE.findall(DECODE[encoding](page.data).decode()))

    sizes = [size_of(client.get(path, headers=accepted)) for path in files]

    assert len(files) == 3
    assert size_of(page) <= 12_000  # the second visit
    assert size_of(page) + sum(sizes) <= 45_000


def size_of(answer):
    """Status line, headers and body, as they go over the wire."""
    return len(answer.data) + sum(len(name) + len(value) + 4 for name, value in answer.headers) + 17
