"""Every answer carries the headers that keep others out, every cookie is bound, and the portal answers under its own names only."""

import re

import pytest

from portal import LARGEST_REQUEST
from tests.conftest import HTMX, PASSWORD, sign_in
from tests.processes import ROOT

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "object-src": "'none'",
}
ANSWERS = {  # what is asked for, and the status of the answer
    "a page": ("GET", "/settings/people", 200),
    "its head": ("HEAD", "/settings/people", 200),
    "its options": ("OPTIONS", "/settings/people", 200),
    "a redirect": ("GET", "/", 303),
    "a file": ("GET", "/static/portal.css", 200),
    "no such file": ("GET", "/static/nothing.css", 404),
    "a way out of the folder": ("GET", "/static/../config.py", 404),
    "no such page": ("GET", "/nope", 404),
    "no such change order": ("GET", "/change-orders/4711", 404),
    "not by this method": ("DELETE", "/login", 405),
    "an echo of the request": ("TRACE", "/", 405),
    "bad form": ("POST", "/change-orders/4711/acceptance", 404),
    "a download": ("GET", "/settings/audit.csv", 200),
    "life": ("GET", "/healthz", 200),
    "the interface": ("GET", "/api/v1/change-orders", 401),
    "nothing of the interface": ("GET", "/api/v1/nope", 404),
}
SECURE = {"PORTAL_URL": "https://cco.example.test"}


def policy_of(answer):
    return dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))


def protected(answer):
    assert policy_of(answer) == POLICY
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "charset=utf-8" in answer.headers["Content-Type"] or not answer.headers["Content-Type"].startswith("text/")


@pytest.mark.parametrize("asked", ANSWERS)
def test_every_answer_carries_the_headers(client, eve, asked):
    method, path, status = ANSWERS[asked]
    sign_in(client, eve)

    answer = client.open(path, method=method, headers={"Origin": "http://localhost"})

    assert answer.status_code == status
    protected(answer)


def test_a_form_that_is_too_large_and_a_fault_of_ours_carry_them_too(app, client):
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.view_functions["operations.version"] = lambda: 1 / 0

    answers = [client.post("/login", data={"email": "x" * (LARGEST_REQUEST + 1)}), client.get("/version")]

    assert [answer.status_code for answer in answers] == [413, 500]
    for answer in answers:
        protected(answer)


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_no_page_and_no_fragment_is_kept_in_a_cache(client, ana, headers):
    sign_in(client, ana)

    answer = client.get("/change-orders", headers=headers)

    assert answer.headers["Cache-Control"] == "no-store"
    assert "HX-Request" in answer.headers["Vary"]


def test_a_static_file_is_kept_and_changes_its_address_with_its_content(client):
    page = client.get("/login").text
    (address,) = re.findall(r'href="(/static/portal\.css\?v=[0-9a-f]{12})"', page)

    assert "max-age=31536000" in client.get(address).headers["Cache-Control"]
    assert client.get("/static/nothing.css").headers["Cache-Control"] == "no-store"


def test_signing_out_makes_the_browser_forget_what_it_kept_of_the_portal(client, ana):
    sign_in(client, ana)

    assert client.post("/logout").headers["Clear-Site-Data"] == '"cache", "storage"'
    assert "Clear-Site-Data" not in client.get("/login").headers


def test_over_tls_the_browser_is_told_to_stay_there_and_on_a_laptop_it_is_not(make_app, company):
    secure, plain = make_app(**SECURE).test_client(), make_app().test_client()

    for path in ("/login", "/nope", "/static/portal.css", "/healthz"):
        assert secure.get(path).headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
        assert "Strict-Transport-Security" not in plain.get(path).headers


@pytest.mark.parametrize(
    ("changes", "name", "secure"),
    [(SECURE, "__Host-portal", True), ({"PORTAL_URL": "http://127.0.0.1:8123"}, "portal-8123", False)],
    ids=["TLS", "laptop"],
)
def test_every_cookie_is_bound_to_the_host_and_out_of_reach_of_scripts(make_app, company, ana, changes, name, secure):
    client = make_app(**changes).test_client()
    address = "https://cco.example.test" if secure else "http://127.0.0.1:8123"
    data = {"email": ana.email, "password": PASSWORD}

    answers = [
        client.get("/login", base_url=address),
        client.post("/login", data=data, base_url=address),
        client.post("/imports", base_url=address),
        client.post("/logout", base_url=address),
        client.get("/login", base_url=address),
    ]

    cookies = [cookie for answer in answers for cookie in answer.headers.getlist("Set-Cookie")]
    assert len(cookies) >= 3
    for cookie in cookies:
        words = cookie.split("; ")
        assert cookie.startswith(f"{name}=")
        assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(words)
        assert ("Secure" in words) == secure
        assert not [word for word in words if word.startswith(("Domain=", "Max-Age=")) and word != "Max-Age=0"]


@pytest.mark.parametrize("name", ["cco.example.test", "CCO.Example.Test:443", "localhost:8000", "127.0.0.1", "[::1]:8000"])
def test_the_portal_answers_under_its_own_names(make_app, company, name):
    assert make_app(**SECURE).test_client().get("/login", headers={"Host": name}).status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "evil.example",
        "cco.example.test.evil.example",
        "evil.example:443",
        "10.0.0.7",
        "cco.example.test@evil.example",
        "[::2]",
        "",
        ".",
    ],
)
def test_the_portal_does_not_answer_under_the_name_of_somebody_else(make_app, company, name):
    client = make_app(**SECURE).test_client()

    answer = client.get("/login", headers={"Host": name})

    assert answer.status_code == 400
    assert "The portal is at https://cco.example.test. It does not answer under other names." in answer.text
    assert "evil" not in answer.text
    assert client.get("/api/v1/change-orders", headers={"Host": name}).status_code == 400
    protected(answer)


def test_a_load_balancer_may_ask_by_address(make_app, company):
    assert make_app(**SECURE).test_client().get("/healthz", headers={"Host": "10.0.0.7:8000"}).status_code == 200


ELSEWHERE = [
    "https://evil.example/change-orders",
    "//evil.example/change-orders",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "http://localhost@evil.example/change-orders",
    "http://localhost.evil.example/change-orders",
    "http://localhost//evil.example",
    "http://localhost/\\evil.example",
    "http://localhost/%09/evil.example",
    "http://localhost/%0d%0aHX-Redirect:%20https://evil.example",
    "http://localhost/logout",
    "http://localhost/change-orders/1/row",
]


@pytest.mark.parametrize("address", ELSEWHERE)
def test_htmx_is_led_to_pages_of_ours_only_whatever_it_says_of_itself(client, address):
    said = HTMX | {
        "HX-Current-URL": address,
        "HX-Target": "<b>",
        "HX-Trigger": "a",
        "HX-Prompt": "https://evil.example",
        "Referer": address,
    }

    answers = [client.get("/change-orders", headers=said), client.post("/settings/people/1/level", headers=said)]

    for answer in answers:
        led = {name: value for name, value in answer.headers if name.startswith("HX-") or name == "Location"}
        assert (answer.status_code, led) == (401, {"HX-Redirect": "/login"})


def test_no_other_header_leads_htmx_anywhere():
    sources = [path.read_text() for path in (ROOT / "portal").rglob("*.py")]
    sent = {name for source in sources for name in re.findall(r'"(HX-[A-Za-z-]+)":', source)}

    assert sent == {"HX-Redirect", "HX-Retarget", "HX-Reswap", "HX-Reselect", "HX-Trigger"}
