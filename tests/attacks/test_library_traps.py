"""What the libraries would let happen by default, each trap sprung."""

import hashlib
import json
import pickle
import re
import sqlite3
import subprocess
import threading

import pytest
from bs4 import BeautifulSoup
from flask.sessions import SecureCookieSessionInterface
from flask_login.utils import encode_cookie
from itsdangerous import TimestampSigner
from lxml import etree

from portal import create_app, db
from portal.background import doorbell
from portal.spectrum import wsdl
from portal.spectrum.services import wsdl as shipped
from portal.web.access import ENDPOINTS, Who
from tests.conftest import HTMX, PASSWORD, sign_in
from tests.processes import ROOT

pytestmark = pytest.mark.databases_differ("types and bad text")

NAME, NOON = "portal-8000", 1_795_000_000
ELSEWHERE = {  # traps that other tests spring
    "Flask-Login: next": "test_nobody_is_led_anywhere_else",
    "Flask-Login: session survives closing": "test_a_closed_account_is_out_at_the_next_click",
    "Flask-Login: logout leaves the session": "test_a_stolen_cookie_is_worthless_after_sign_out",
    "Flask-WTF: token survives sign-in": "test_a_form_token_from_before_signing_in_is_refused_afterwards",
    "Flask-HTMX: HX-Current-URL": "test_where_htmx_says_it_was_is_not_believed",
    "htmx: inline styles and handlers": "test_templates_keep_the_strict_page_policy",
    "zeep: address in the WSDL": "test_the_wsdl_is_fetched_once_and_its_address_is_not_believed",
    "zeep: other documents": "test_a_wsdl_that_points_elsewhere_is_not_followed",
    "zeep: DTD, entities and redirects in an answer": "test_an_answer_that_is_not_understood_is_unknown",
    "zeep: no deadline": "test_an_answer_that_drips_from_its_first_byte_is_cut_at_the_deadline",
    "zeep: file://": "test_an_unusable_address_sent_nothing",
    "zeep: envelopes in the log": "test_the_authorization_id_is_in_no_answer_message_or_log",
    "requests: proxy of the environment": "test_a_proxy_in_the_environment_is_not_used",
    "RQ: pickles": "test_rubbish_in_redis_runs_nothing_and_the_worker_lives",
}


@pytest.mark.parametrize("trap", ELSEWHERE)
def test_a_trap_that_is_sprung_elsewhere_is_still_sprung_there(trap):
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))

    assert f"def {ELSEWHERE[trap]}(" in tests


def test_flask_keeps_nothing_in_the_cookie_but_a_token_the_form_secret_and_words_for_the_next_page(app, client, ana):
    sign_in(client, ana)
    client.get("/profile")
    client.post("/profile", data={})

    content = SecureCookieSessionInterface().get_signing_serializer(app).loads(client.get_cookie(NAME).value)

    assert set(content) <= {"_user_id", "_fresh", "_id", "csrf_token", "_flashes"}  # _id: of the browser, which nobody asks for
    assert len(content["_user_id"]) >= 43


def test_flask_login_is_never_asked_to_remember_anybody(client, ana):
    answer = client.post("/login", data={"email": ana.email, "password": PASSWORD, "remember": "on", "remember_me": "1"})

    assert [cookie.partition("=")[0] for cookie in answer.headers.getlist("Set-Cookie")] == [NAME]


def test_a_remember_cookie_that_flask_login_would_believe_opens_nothing(app, ana):
    thief = app.test_client()
    with app.test_request_context():
        thief.set_cookie("remember_token", encode_cookie(str(ana.id)))

    assert thief.get("/profile").location.startswith("/login")


def test_flask_login_s_exemption_of_options_lets_nobody_see_or_do_anything(app, client):
    for rule in app.url_map.iter_rules():
        if ENDPOINTS[rule.endpoint] is not Who.PUBLIC:
            address = re.sub(r"<\w+:\w+>", "1", rule.rule).replace("<name>", "x").replace("<", "").replace(">", "")
            answer = client.options(address)
            assert answer.status_code in (303, 401), f"{address}: {answer.status_code}"


def test_another_network_or_browser_signs_nobody_out_in_mid_work(client, ana):
    sign_in(client, ana)

    answer = client.get("/profile", headers={"User-Agent": "Another browser"}, environ_base={"REMOTE_ADDR": "10.1.2.3"})

    assert answer.status_code == 200


def form_token(browser, page, **options):
    return BeautifulSoup(browser.get(page, **options).text, "html.parser").find("input", {"name": "csrf_token"})["value"]


@pytest.fixture
def ana_with_forms(app, client, ana):
    sign_in(client, ana)
    app.config["WTF_CSRF_ENABLED"] = True
    return client


def test_flask_wtf_takes_a_form_that_was_left_open_over_lunch(app, client, ana, monkeypatch):
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: NOON)
    sign_in(client, ana)
    app.config["WTF_CSRF_ENABLED"] = True
    token = form_token(client, "/profile")
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: NOON + 3 * 3600)

    assert client.post("/profile", data={"csrf_token": token}).location == "/profile"


def test_a_form_without_its_token_is_told_to_htmx_in_words_that_are_shown(ana_with_forms):
    answer = ana_with_forms.post("/profile", data={}, headers=HTMX)

    assert (answer.status_code, answer.headers["HX-Retarget"]) == (400, "#alert")
    assert "Nothing was recorded" in answer.text


@pytest.mark.parametrize(
    ("referrer", "code"),
    [("https://cco.example.test/profile", 303), ("https://evil.example/", 400), ("http://cco.example.test/profile", 400), (None, 400)],
)
def test_over_tls_flask_wtf_wants_the_referrer_that_our_policy_lets_browsers_send(make_app, company, ana, referrer, code):
    app, base = make_app(PORTAL_URL="https://cco.example.test"), {"base_url": "https://cco.example.test"}
    browser = app.test_client()
    browser.post("/login", data={"email": ana.email, "password": PASSWORD}, **base)
    app.config["WTF_CSRF_ENABLED"] = True
    page = browser.get("/profile", **base)
    token = BeautifulSoup(page.text, "html.parser").find("input", {"name": "csrf_token"})["value"]

    answer = browser.post("/profile", data={"csrf_token": token}, headers={"Referer": referrer} if referrer else {}, **base)

    assert page.headers["Referrer-Policy"] == "same-origin"
    assert answer.status_code == code


def test_of_what_htmx_says_of_itself_only_what_gives_nobody_a_right_is_read():
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "portal").rglob("*.py")]
    read = {name for source in sources for name in re.findall(r"(?<!/)\bhtmx\.(\w+)", source)} - {"init_app"}
    headers = {name for source in sources for name in re.findall(r"headers(?:\.get\(|\[)\"(HX-[\w-]+)\"", source)}

    assert read <= {"current_url", "boosted", "history_restore_request"}  # where to return to, and whether to send the whole page
    assert headers <= {"HX-Request-Type"}


def test_a_fragment_asked_for_by_htmx_needs_the_same_rights_as_its_page(client, ben):
    sign_in(client, ben)
    forged = HTMX | {"HX-Target": "main", "HX-Prompt": "Admin", "HX-Current-URL": "http://localhost/settings/people"}

    assert client.get("/settings/people", headers=forged).status_code == 403
    assert client.post(f"/settings/people/{ben.id}/level", data={"level": "Admin"}, headers=forged).status_code == 403


def test_htmx_is_told_to_stay_at_home_and_every_key_is_one_it_knows(client):
    page = BeautifulSoup(client.get("/login").text, "html.parser")
    told = json.loads(page.find("meta", {"name": "htmx-config"})["content"])
    source = (ROOT / "static" / "vendor" / "htmx.min.js").read_text(encoding="utf-8")
    known = re.search(r"this\.config=\{([^}]*(?:\{[^}]*\}[^}]*)*)\}", source).group(1)

    assert told == {"mode": "same-origin", "includeIndicatorCSS": False, "history": "reload", "noSwap": [204, 304, "5xx"]}
    assert [key for key in told if not re.search(rf"\b{key}:", known)] == []


def test_htmx_is_the_file_it_was():
    noted = re.search(r"`htmx\.min\.js`.*`([0-9a-f]{64})`", (ROOT / "static" / "vendor" / "README.md").read_text(encoding="utf-8")).group(1)

    assert hashlib.sha256((ROOT / "static" / "vendor" / "htmx.min.js").read_bytes()).hexdigest() == noted


def test_zeep_is_told_to_refuse_dtd_entities_and_other_documents():
    assert (wsdl.SAFE.forbid_dtd, wsdl.SAFE.forbid_entities, wsdl.SAFE.forbid_external, wsdl.SAFE.xml_huge_tree) == (
        True,
        True,
        True,
        False,
    )


@pytest.mark.parametrize(
    "before",
    [
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
        "<!DOCTYPE x [" + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha"}">' for n in range(9)) + "]>",
    ],
    ids=["file", "other document", "bomb"],
)
def test_a_wsdl_with_a_document_type_is_not_used_and_nothing_it_names_is_read(tmp_path, before):
    poisoned = f"{before}{shipped('ARChangeRequest', 'https://there')}".encode()
    one = wsdl.Wsdl("ARChangeRequest", "https://here", tmp_path)

    message = one.envelope({"Authorization_ID": "X", "Company_Code": "ABC"}, lambda: poisoned)

    assert not list(tmp_path.iterdir())  # what was fetched was not kept; the order of the table served
    assert etree.fromstring(message).findtext(".//{*}Company_Code") == "ABC"


def test_nothing_markup_like_in_a_change_order_changes_the_message_to_spectrum(tmp_path):
    texts = {"CR_Description": "</x><!--]]>&amp;&xxe;<zqx a='b\">", "Sub_Comments": "{{7*7}}<![CDATA[ %s"}

    message = wsdl.Wsdl("ARChangeRequest", "https://here", tmp_path).envelope({"Authorization_ID": "X"} | texts, lambda: b"")

    root = etree.fromstring(message)
    assert {name: root.findtext(f".//{{*}}{name}") for name in texts} == texts
    assert root.find(".//{*}zqx") is None


def test_a_transaction_takes_the_lock_before_it_reads_and_not_at_its_first_write(tmp_path):
    db.init(f"sqlite:///{tmp_path / 'portal.db'}")
    other = sqlite3.connect(tmp_path / "portal.db", timeout=0, isolation_level=None)

    with db.connected(), db.transaction(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")

    other.execute("BEGIN IMMEDIATE")
    other.close()


def test_each_thread_has_a_connection_of_its_own(database):
    seen = []

    def look():
        with db.connected():
            seen.append(id(db.database.connection()))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()

    assert seen and seen[0] != id(database.connection())


def test_the_application_is_made_without_a_connection_that_forks_would_share(settings, database):
    database.close()

    create_app(settings)

    assert db.database.is_closed()


def test_a_request_leaves_nothing_open_behind(app, company, database):
    """SQLite's connection stays with its thread, with no transaction and nothing half read in it; each request gives it back so."""
    database.close()
    client = app.test_client()

    for _ in range(2):
        client.get("/login")
        if db.is_sqlite():
            connection = db.database.connection()
            left = connection.cursor()
            left.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT i + 1 FROM n WHERE i < 9) SELECT i FROM n").fetchone()
            connection.execute("BEGIN")

    client.get("/login")
    if db.is_sqlite():
        assert not connection.in_transaction
        with pytest.raises(sqlite3.ProgrammingError, match="closed cursor"):
            left.fetchone()
        db.database.close()
    assert db.database.is_closed()


class Bomb:
    def __reduce__(self):
        return subprocess.check_call, (["false"],)


def test_what_rq_takes_out_of_redis_is_json_and_a_pickle_is_not_opened():
    with pytest.raises(ValueError, match=r"."):
        doorbell.Serializer.loads(pickle.dumps(Bomb()))

    assert "serializer=doorbell.Serializer" in (ROOT / "worker.py").read_text(encoding="utf-8")
    assert not [
        path for path in (ROOT / "portal").rglob("*.py") if re.search(r"Queue\((?!.*serializer=)", path.read_text(encoding="utf-8"))
    ]
