"""Every page in a real browser: it fits its window from the smallest phone to a wide desk, breaks nothing of its own policy, and
says nothing on the console."""

from collections import Counter
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from portal.domain.accounts import preferences
from portal.domain.change_orders import Status
from portal.domain.review.bulk_actions import Chosen
from portal.domain.triage import clearing, groups
from portal.web.access import ENDPOINTS, NOT_LED_TO, SCOPES
from tests.attacks.conftest import ivy, orders, tom, toms_draft, town
from tests.attacks.crawling import Crawl
from tests.browser.conftest import PATIENCE_MS
from tests.browser.signing_in import sign_in
from tests.conftest import sign_in as sign_in_client

__all__ = ["ivy", "orders", "tom", "toms_draft", "town"]

WHO = {"ada": 14, "ana": 3, "dee": 3}  # how many addresses of one route each looks at; change orders are in twelve states
# What answers GET with something else than a page: files, facts for machines, parts of pages, the way to elsewhere. And the page on
# which one proves who one is, which nobody sees who has done so lately: it has a test of its own below.
NO_PAGES = NOT_LED_TO | {"static", "operations.alive", "operations.ready", "operations.version", "metrics.show", "fallback.show"}
NO_PAGES |= {"audit.short", "privilege_requests.index", "oidc.start", "oidc.finish"}
NOWHERE = "about:blank"
WIDTHS = (320, 360, 480, 639, 640, 768, 900, 999, 1000, 1100, 1280, 1440)
# What sticks out: the page itself, or a box that would have to be scrolled sideways. What only screen readers get does not count.
STICKS_OUT = """() => {
    const isWide = (box) => box.clientWidth && box.scrollWidth > box.clientWidth + 1;
    const isSeen = (box) => box.checkVisibility() && getComputedStyle(box).display !== 'inline' && !box.closest('.hidden, svg');
    const boxes = [...document.querySelectorAll('main *')].filter((box) => isWide(box) && isSeen(box));
    const page = document.documentElement.scrollWidth > innerWidth ? ['the page'] : [];
    return [...page, ...boxes.map((box) => `${box.tagName.toLowerCase()}.${box.className} ${box.scrollWidth} > ${box.clientWidth}`)];
}"""
OPEN_QUESTIONS = "document.querySelectorAll('main .asks').forEach((question) => question.open = true)"
LISTEN = """
    window.violations = [];
    document.addEventListener("securitypolicyviolation", (event) =>
        window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""
HEARD = "document.addEventListener('securitypolicyviolation', () => heard(true), {once: true});"
FORBIDDEN = "document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">x</p><img src=x onerror=alert(1)>');"


class Watched:
    """A page of the browser that writes down what it complains of."""

    def __init__(self, page):
        self.page, self.complaints = page, []
        page.add_init_script(LISTEN)
        page.on("console", lambda message: message.type == "error" and self.tell(message.text))
        page.on("pageerror", self.tell)

    def tell(self, words):
        if self.page.url != NOWHERE:
            self.complaints.append(f"{self.page.url}: {words}")

    def enter(self, served, person):
        sign_in(self.page, served, person)
        self.leave()

    def look(self, served, address):
        """Open the page and let it ask for its parts; answers what does not fit the window."""
        answer = self.page.goto(f"{served}{address}")
        assert answer.status == 200 and "default-src 'none'" in answer.headers["content-security-policy"], address
        self.settle()
        wide = list(self.sticks_out())
        self.leave()
        return wide

    def sticks_out(self):
        """What does not fit the window, at each width."""
        self.page.evaluate(OPEN_QUESTIONS)
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 800})
            yield from (f"{self.page.url} at {width}: {what}" for what in self.page.evaluate(STICKS_OUT))

    def settle(self):
        expect(self.page.locator(".htmx-request")).to_have_count(0, timeout=PATIENCE_MS)
        for one in self.page.evaluate("() => new Promise((tell) => setTimeout(() => tell(window.violations)))"):
            self.tell(one)

    @contextmanager
    def leaving(self):
        """What the page says after this, say of a part that it was waiting for when it was left, does not count."""
        self.settle()
        heard = list(self.complaints)
        yield
        self.complaints = heard

    def leave(self):
        with self.leaving():
            self.page.goto(NOWHERE)


@pytest.fixture
def watched(page):
    return Watched(page)


@pytest.fixture
def seldom(town, ana):
    """Pages that only a press, a long list or a mail leads to."""
    group = groups.overview().groups[0]
    record = clearing.retry(group, [Chosen(town.orders[Status.FAILED].id, 0)], ana, "a key")
    selected = [f"/change-orders/{page}?row={town.orders[Status.READY].id}" for page in ("acceptances", "rejections", "holds")]
    return [f"/bulk-actions/{record.id}", "/failures/unknown", f"/failures/{group.cause.id}/retries", *selected]


def crawled(app, town, who, *seldom):
    """The addresses of every whole page that links lead the person to, from the start or from those named."""
    client = sign_in_client(app.test_client(), town.people[who])
    crawls = [Crawl(client, start) for start in ("/", *seldom)]
    return list(dict.fromkeys(address for crawl in crawls for address, answer in crawl.answers.items() if is_page(answer)))


def public(app, town):
    """What everybody may see."""
    stops_mail = preferences.link(app.config["SETTINGS"].keys, town.people["ana"], preferences.Kind.SUMMARY)
    crawls = [Crawl(app.test_client(), start) for start in ("/login", f"/password/{town.link}", f"/unsubscribe/{stops_mail}")]
    return [address for crawl in crawls for address, answer in crawl.answers.items() if is_page(answer)]


def is_page(answer):
    return (answer.status_code, answer.mimetype) == (200, "text/html") and "<html" in answer.text[:100]


def few_of_each(app, addresses, most):
    """At most so many of each route."""
    seen, adapter = Counter(), app.url_map.bind("localhost")
    for address in addresses:
        endpoint, _ = adapter.match(urlsplit(address).path, "GET")
        seen[endpoint] += 1
        if seen[endpoint] <= most:
            yield address


def test_the_pages_looked_at_here_are_all_that_the_access_table_knows(app, town, seldom):
    adapter = app.url_map.bind("localhost")
    found = [*public(app, town), *(address for who in WHO for address in crawled(app, town, who)), *crawled(app, town, "ana", *seldom)]
    table = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in rule.methods and ENDPOINTS[rule.endpoint] not in SCOPES}

    seen = {adapter.match(urlsplit(address).path, "GET")[0] for address in found}

    assert table - seen - NO_PAGES == set()
    assert seen & NO_PAGES == set()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("who", ["nobody", *WHO])
def test_every_page_fits_each_width_keeps_its_policy_and_complains_of_nothing(watched, served, app, town, seldom, who):
    found = public(app, town) if who == "nobody" else list(few_of_each(app, [*crawled(app, town, who), *seldom * (who == "ana")], WHO[who]))
    if who != "nobody":
        watched.enter(served, town.people[who])

    wide = [one for address in found for one in watched.look(served, address)]

    assert found and wide == []
    assert watched.complaints == []


def test_the_page_that_asks_again_who_one_is_breaks_no_policy(watched, served, town, clock):
    watched.enter(served, town.people["ada"])
    clock.tick(minutes=20)

    watched.look(served, "/confirm")

    assert watched.complaints == []


def test_forms_that_open_in_place_break_no_policy_either(watched, served, town):
    page = watched.page
    watched.enter(served, town.people["ada"])
    page.goto(f"{served}/change-orders?view=ready")

    for button in ("Accept", "Reject"):
        page.get_by_role("button", name=button).or_(page.get_by_role("link", name=button)).first.click()
        expect(page.locator("form.decision")).to_be_visible()
        page.get_by_role("link", name="Cancel").or_(page.get_by_role("button", name="Cancel")).first.click()
        expect(page.locator("form.decision")).to_have_count(0)
    watched.leave()
    page.goto(f"{served}/settings/company")
    with watched.leaving():
        page.get_by_role("button", name="Save daily summary").click()
        expect(page.get_by_text("Saved").first).to_be_visible()

    watched.settle()
    assert watched.complaints == []


def test_what_the_policy_forbids_is_noticed_here(watched, served, company, ana):
    """Without this the tests above would show nothing."""
    watched.enter(served, ana)
    watched.page.goto(f"{served}/profile")

    watched.page.evaluate(f"() => new Promise((heard) => {{ {HEARD} {FORBIDDEN} }})")

    watched.settle()
    assert any("style-src" in one for one in watched.complaints)
