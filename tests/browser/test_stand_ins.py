"""What `portal up` prints for a person to look at can be looked at in a browser."""

import smtplib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.processes import Catcher, running


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(Catcher(tmp_path_factory.mktemp("catcher"))) as catcher:
        yield caught(catcher)


def caught(catcher: Catcher) -> str:
    content = b"Subject: CCO 003 was sent back\r\n\r\nWrong phase code\r\n"
    with smtplib.SMTP("127.0.0.1", catcher.smtp_port, timeout=10) as smtp:
        smtp.sendmail("portal@localhost.test", ["dee@example.test"], content)
    return catcher.url


def test_caught_mail_is_read_in_a_browser(page: Page, mail: str, shot: Callable[[Page, str], Path]) -> None:
    page.goto(mail)

    expect(page.get_by_role("heading", name="CCO 003 was sent back")).to_be_visible()
    expect(page.get_by_text("Wrong phase code")).to_be_visible()
    assert shot(page, "caught-mail").stat().st_size > 0


def test_caught_mail_is_read_without_javascript(page_without_javascript: Page, mail: str) -> None:
    page_without_javascript.goto(mail)

    expect(page_without_javascript.get_by_text("dee@example.test")).to_be_visible()
