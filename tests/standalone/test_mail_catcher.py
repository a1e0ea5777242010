"""Mail that the portal sends on a laptop can be read on a page and by a script."""

import json
import smtplib
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from portal.standalone.mail_catcher import Mailbox
from tests.processes import Catcher, running


@pytest.fixture
def catcher(tmp_path: Path) -> Iterator[Catcher]:
    """One of the test's own, which may be killed."""
    with running(Catcher(tmp_path)) as server:
        yield server


def send(catcher: Catcher, subject: str = "CCO 003 was sent back", text: str = "Wrong phase code", html: str = "") -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "portal@localhost.test", "Dée <dee@example.test>", subject
    mail["Message-ID"] = "<rejected-1@localhost.test>"
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
    with smtplib.SMTP("127.0.0.1", catcher.smtp_port, timeout=10) as smtp:
        smtp.send_message(mail, to_addrs=["dee@example.test", "cy@example.test"])


def get(url: str) -> tuple[str, dict[str, str]]:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode(), dict(answer.headers)


def test_a_script_reads_who_got_what(catcher: Catcher) -> None:
    send(catcher, subject="CCO 003 für Müller", text="Wrong phase — code", html="<p>Wrong phase &mdash; code</p>")

    [mail] = catcher.mails()

    assert mail["to"] == ["dee@example.test", "cy@example.test"]
    assert mail["from"] == "portal@localhost.test"
    assert mail["subject"] == "CCO 003 für Müller"
    assert mail["message_id"] == "<rejected-1@localhost.test>"
    assert mail["text"].strip() == "Wrong phase — code"
    assert mail["html"].strip() == "<p>Wrong phase &mdash; code</p>"
    assert ["To", "Dée <dee@example.test>"] in mail["headers"]


def test_the_newest_mail_is_last_for_scripts(catcher: Catcher) -> None:
    send(catcher, subject="first")
    send(catcher, subject="second")

    assert [(mail["id"], mail["subject"]) for mail in catcher.mails()] == [(1, "first"), (2, "second")]


def test_a_mail_without_html_shows_its_text_and_has_no_html_page(catcher: Catcher) -> None:
    send(catcher, text="Wrong phase code")

    page, _ = get(catcher.url)

    assert "Wrong phase code" in page
    assert "/mails/1.html" not in page
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(f"{catcher.url}/mails/1.html")


def test_what_a_mail_says_is_never_markup_of_the_page(catcher: Catcher) -> None:
    send(catcher, subject="<script>alert(1)</script>", text="<img src=x onerror=alert(1)>")

    page, headers = get(catcher.url)

    assert "<script>" not in page
    assert "<img" not in page
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_the_html_part_is_locked_in_a_sandbox(catcher: Catcher) -> None:
    send(catcher, html="<script>alert(1)</script>")

    _, headers = get(f"{catcher.url}/mails/1.html")

    assert headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


def test_mails_survive_a_crash(catcher: Catcher) -> None:
    send(catcher)
    catcher.kill()

    catcher.start()

    assert len(catcher.mails()) == 1


def test_a_mail_cut_short_by_a_crash_is_dropped_and_the_next_is_kept(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path)
    mailbox.add("a@example.test", ["b@example.test"], b"Subject: whole\r\n\r\nx")
    with mailbox.file.open("a") as file:
        file.write('{"id": 2, "from": "a@exa')

    after = Mailbox(tmp_path)
    after.add("a@example.test", ["b@example.test"], b"Subject: next\r\n\r\nx")

    assert [mail["subject"] for mail in Mailbox(tmp_path).mails] == ["whole", "next"]


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\xff\xfe", b"Subject: =?x-nothing?b?AAAA?=\r\n\r\n\xff", b"Content-Type: text/plain; charset=no-such\r\n\r\n\xe9"],
)
def test_a_malformed_mail_is_kept_all_the_same(tmp_path: Path, content: bytes) -> None:
    Mailbox(tmp_path).add("", ["b@example.test"], content)

    [mail] = Mailbox(tmp_path).mails

    assert json.dumps(mail)
