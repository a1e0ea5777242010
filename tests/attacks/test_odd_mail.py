"""What people are called and where their mail goes cannot change a mail: one recipient, one subject, words that stay words."""

from datetime import date
from email import message_from_bytes, policy

import pytest

from portal import messages
from portal.domain.accounts import rights
from portal.domain.accounts.rights import Refused
from portal.domain.mail.letters import Reminder
from portal.domain.people import Level, User

ADDRESSES = [
    "",
    "@",
    "ana",
    "ana@",
    "@example.test",
    "ana@example",
    "ana@@example.test",
    "ana@b@example.test",
    "a b@example.test",
    "ana@example.test, eve@example.test",
    "ana@example.test\r\nBcc: eve@example.test",
    "ana@example.test\nBcc: eve@example.test",
    "ana\x00@example.test",
    '"<zqx>"@example.test',
    '"ana lee"@example.test',
    "ana(comment)@example.test",
    "<ana@example.test>",
    "Ana <ana@example.test>",
    "ana;eve@example.test",
    "ana@example.test.",
    "ana.@example.test",
    "ana..lee@example.test",
    "ana@[127.0.0.1]",
    "änä@example.test",
    "ana@exämple.test",
    "x" * 65 + "@example.test",
    "x@" + "y" * 247 + ".test",
    "x@" + "y" * 249 + ".test",
    "\u202eana@example.test",
    "ana@exa\u200bmple.test",
    "ａna@example.test",
]
NAMES = [
    "Ortiz, Ana",
    'Ana "the boss" Ortiz',
    "Ana <eve@example.test>",
    "Ana\\",
    "=?utf-8?q?=0D=0ABcc:_eve=40example.test?=",
    "Ana (comment)",
    "Ana; Eve: x",
    "\u202eAna",
    "Ölmann & Söhne 🏗",
    "a" * 100,
    "Ana\u00a0Ortiz",
    "Dr. Ana @ work",
]
SUBJECTS = ["x" * 1000, "🏗" * 100, "a\r\nBcc: eve@example.test", "=?utf-8?q?x?=", "\x00\x1b[31m", ".", "Ünïcode " * 40]


GOOD = {
    "ana+cco@example.test",
    "ana@xn--exmple-cua.test",
    "x" * 64 + "@example.test",
    "o'brien@sub-1.example.test",
    "ANA@Example.TEST",
}


def composed(app, settings, to, subject="Hello"):
    """The mail as it would be sent, read again as its receiver would."""
    with app.app_context():
        reminder = Reminder("reminder:1:2026-11-23:1", to, date(2026, 11, 23))
        message = messages.compose(settings, "key", to, subject, "secret_expires", reminder=reminder)
    return message_from_bytes(message.as_bytes(policy=policy.SMTP), policy=policy.default)


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_no_mail_could_be_sent_to_makes_no_account(database, company, address):
    before = User.select().count()

    with pytest.raises(Refused, match="An e-mail address has a name"):
        rights.add(address, "Ana Ortiz", Level.NONE, False, "nine unlikely lanterns")

    assert User.select().count() == before


@pytest.mark.parametrize("address", sorted(GOOD))
def test_mail_goes_to_the_address_of_an_account_and_to_no_other(app, settings, company, address):
    person = rights.add(address, "Ana Ortiz", Level.NONE, False, "nine unlikely lanterns")

    message = composed(app, settings, person)

    assert [found.addr_spec for found in message["To"].addresses] == [address]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_stays_a_name_in_the_mail_and_addresses_nobody_else(app, settings, company, ana, name):
    ana.name = name

    message = composed(app, settings, ana)

    assert [(found.display_name, found.addr_spec) for found in message["To"].addresses] == [
        (" ".join(name.split()).replace("=?", "= ?"), ana.email)
    ]
    assert message["Bcc"] is None and message["Cc"] is None


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_stays_one_line_and_makes_no_other_header(app, settings, company, ana, subject):
    message = composed(app, settings, ana, subject)

    assert len(message.get_all("Subject")) == 1
    assert "".join(message["Subject"].split()) == "".join(subject.replace("=?", "= ?").split())
    assert message["Bcc"] is None
    assert [found.addr_spec for found in message["To"].addresses] == [ana.email]
