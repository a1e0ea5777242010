"""Administrators look at each mail before anyone gets it: as text and as HTML, with invented people and change orders."""

import re
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup

from portal.domain.mail import samples
from portal.domain.mail.letters import WRITE
from portal.messages import COMPOSE
from portal.web.settings.mail import KINDS, SLUGS
from tests.conftest import sign_in

ALL = "/settings/mail/previews"


@pytest.fixture
def admin(client, company, eve):
    return sign_in(client, eve)


def test_every_mail_that_is_written_has_a_preview():
    assert set(samples.SAMPLES) == set(COMPOSE) == set(WRITE) == set(KINDS)


def test_the_list_leads_to_each(admin):
    page = BeautifulSoup(admin.get(ALL).text, "html.parser")

    assert [link["href"] for link in page.select(".mail-previews a")] == [f"{ALL}/{slug}" for slug in SLUGS]


@pytest.mark.parametrize("slug", SLUGS)
def test_a_preview_shows_subject_text_and_html(admin, eve, slug):
    page = BeautifulSoup(admin.get(f"{ALL}/{slug}").text, "html.parser")
    html = admin.get(f"{ALL}/{slug}/html")

    told = {fact.dt.get_text(): fact.dd.get_text() for fact in page.select(".facts > div")}
    assert told["Subject"]
    assert eve.email in told["To"]
    assert html.mimetype == "text/html"
    assert html.text.startswith("<!doctype html>")


@pytest.mark.parametrize("slug", SLUGS)
def test_text_and_html_of_a_mail_lead_to_the_same_pages(admin, slug):
    text = BeautifulSoup(admin.get(f"{ALL}/{slug}").text, "html.parser").find("pre").get_text()
    html = BeautifulSoup(admin.get(f"{ALL}/{slug}/html").text, "html.parser")

    linked = {link["href"] for link in html.find_all("a")}
    assert linked == set(re.findall(r"https?://\S+", text))
    assert {urlsplit(link).netloc for link in linked} == {"127.0.0.1:8000"}


@pytest.mark.parametrize("slug", SLUGS)
def test_the_html_of_a_mail_has_no_images_styles_or_scripts(admin, slug):
    html = BeautifulSoup(admin.get(f"{ALL}/{slug}/html").text, "html.parser")

    assert not html.find_all(["img", "style", "script", "link", "form"])
    assert not [tag for tag in html.find_all(True) if tag.has_attr("style")]


def test_the_change_order_is_a_paragraph_of_its_own_in_each_text_about_one(admin):
    texts = [BeautifulSoup(admin.get(f"{ALL}/{slug}").text, "html.parser").find("pre").get_text() for slug in SLUGS]

    about_one = [[part for part in text.split("\n\n") if "\nCommitment: " in part] for text in texts if "\nCommitment: " in text]

    assert len(about_one) == 3
    for [part] in about_one:
        assert [line.partition(" ")[0] for line in part.splitlines()] == ["CCO", "Project:", "Commitment:", "Amount:"]


def test_a_mail_that_is_none_has_no_preview(admin):
    assert admin.get(f"{ALL}/nothing").status_code == 404
