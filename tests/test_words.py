"""The sentences of the screens, one by one: short, active, who does what."""

import re

import pytest

from tests.conftest import sign_in

STANDING = [
    ("/settings/company", "For Trimble-hosted Spectrum: the client ID and secret are exchanged for an access token."),
    ("/settings/company", "Now using the ID set on the server. Leave blank to keep it."),
    ("/settings/company", "Changing this reloads jobs, vendors and phases."),
    ("/settings/company", "This status means Approved (action type 1 or 2)"),
    ("/settings/company", "For example 1.12. Ask your Spectrum administrator."),
    ("/settings/company", "People can’t decide change orders they wrote, edited or sent."),
    ("/settings/company", "Support may retry failures that aren’t caused by the change order’s data."),
    ("/settings/people", "They get an e-mail to set their own password."),
    ("/settings/people", "Optional. Separate job numbers with commas."),
    ("/settings/people", "Needs at least Standard."),
    ("/settings/people/1/sign-in", "This account isn’t locked."),
    ("/settings/people/1/sign-in", "Sign-in attempts"),
    ("/profile", "12 to 128 characters. Spaces count. Use a few words that aren’t a known phrase."),
    ("/profile", "Changing it signs you out everywhere else."),
    ("/profile", "Up to three. If you don’t recognize one, end it and change your password."),
    ("/profile", "Sent to approvers. You’ll get it if you become one."),
    ("/profile", "E-mail me when an export fails or its outcome is unknown"),
]


@pytest.mark.parametrize(("place", "sentence"), STANDING, ids=[sentence for _, sentence in STANDING])
def test_the_page_says_it_in_plain_words(client, company, eve, place, sentence):
    answer = sign_in(client, eve).get(place)

    assert answer.status_code == 200
    assert sentence in " ".join(re.sub(r"<[^>]*>", " ", answer.text).split())
