"""The sentences of the screens, one by one: short, active, who does what."""

import ast
import re
from pathlib import Path

import pytest

from portal.domain.exporting import alerts
from portal.domain.imports import history
from portal.domain.recovery import resolutions
from portal.web.change_orders import sentences as change_orders_sentences
from tests.conftest import sign_in

SUBJECTS = [
    "4 exports failed: Spectrum refused the data",
    "4 exports failed: Spectrum rejected the portal’s sign-in",
    "4 exports failed: the settings must change",
    "4 exports failed: Spectrum could not be reached",
    "4 exports with unknown outcome: check Spectrum",
    "4 exports to check: Spectrum differs from what was exported",
    "4 exports waiting: Spectrum cannot be reached; the portal sends them when it can",
]
STANDING = [
    ("/settings/company", "For Trimble-hosted Spectrum: the client ID and secret are exchanged for an access token."),
    ("/settings/company", "Now using the ID set on the server. Leave blank to keep it."),
    ("/settings/company", "Changing this reloads jobs, vendors and phases."),
    ("/settings/company", "This status means Approved (action type 1 or 2)"),
    ("/settings/company", "For example 1.12. Ask your Spectrum administrator."),
    ("/settings/company", "People can’t decide change orders they wrote, edited or sent."),
    ("/settings/company", "Support may retry failures that aren’t caused by the change order’s data."),
    ("/imports", "If any row has an error, nothing is imported."),
    ("/help/errors", "Outcome unknown"),
    ("/help/errors", "No action needed"),
    ("/help/errors", "Set a default G/L account on the cost type or vendor in Spectrum, then press Retry."),
    ("/help/errors", "Exports restart when an administrator resumes them."),
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


@pytest.mark.parametrize(
    ("who", "sentence"),
    [
        ("accounting", "Accounting can fix this."),
        ("Accounting", "Accounting can fix this."),
        ("Project team", "The project team can fix this."),
        ("the project team", "The project team can fix this."),
        ("IT", "IT can fix this."),
        ("No one yet", ""),
    ],
)
def test_who_can_fix_it_is_said_in_one_form(who, sentence):
    assert change_orders_sentences.fixes(who) == sentence


@pytest.mark.parametrize("cause", [*alerts.KINDS], ids=str)
def test_the_subject_of_a_mail_on_exports_reads_as_one_sentence(cause):
    subject = f"4 exports {alerts.STANDING.get(cause, 'failed')}: {alerts.KINDS[cause]}"

    assert subject in SUBJECTS


@pytest.mark.parametrize("state", ["ready", "exported"])
def test_the_form_says_why_it_is_locked_and_how_to_change_it(client, dee, make_change_order, state):
    made = make_change_order(state)

    page = sign_in(client, dee).get(f"/change-orders/{made.id}/edit").text

    assert ("Locked while accounting has it. To change it, a member of the job presses Retrieve from ERP." in page) is (state == "ready")
    assert ("CCO 001 is Exported, so it can’t be changed." in page) is (state == "exported")


@pytest.mark.parametrize(
    "sentence",
    [
        "Before you can send",
        "Ready to send.",
        "of 250 characters<",
        "Date on the document. Not sent to Spectrum.",
        "Permanent. It stays in the history",
    ],
)
def test_the_form_of_a_draft_says_it_in_plain_words(client, dee, make_change_order, sentence):
    made = make_change_order("draft")

    page = sign_in(client, dee).get(f"/change-orders/{made.id}/edit").text

    assert sentence in page


def test_a_retry_names_who_pressed_it(client, ana, make_change_order):
    made = make_change_order("failed")
    resolutions.retry(made.id, ana, made.version)

    page = sign_in(client, ana).get(f"/change-orders/{made.id}").text

    assert "Retried by Ana Ortiz" in page


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"new": 4, "changed": 0, "unchanged": 0, "left alone": 0}, "4 new"),
        ({"new": 0, "changed": 0, "unchanged": 2488, "left alone": 1, "sent": 3}, "2,488 unchanged, 1 skipped, 3 sent to accounting"),
        ({"new": 0, "changed": 0, "unchanged": 0, "left alone": 0}, "no change orders"),
    ],
)
def test_an_import_is_told_without_zeros(counts, said):
    assert history.in_words(counts) == said


DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
WORN_OUT = r"\bmend\w*|\banew\b|\bwhoever\b|\bsomebody\b|\bnobody\b|\banybody\b|\bhanded in\b|Who can:"
PAGES = [*sorted(Path("templates").rglob("*.*")), *sorted(Path("docs").rglob("*.md")), *sorted(Path().glob("*.md"))]
CODE = sorted(path for path in Path("portal").rglob("*.py") if "migrations" not in path.parts)


@pytest.mark.parametrize("place", PAGES, ids=str)
def test_no_page_mail_or_document_uses_a_worn_out_word(place):
    text = re.sub(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}", " ", place.read_text(encoding="utf-8"), flags=re.DOTALL)

    assert not re.findall(rf"{WORN_OUT}|\bwithdraw\w*", text, flags=re.IGNORECASE)


@pytest.mark.parametrize("place", CODE, ids=str)
def test_no_sentence_of_the_program_uses_a_worn_out_word(place):
    said = [text for text in sentences(place) if re.search(WORN_OUT, text, flags=re.IGNORECASE)]

    assert not said


def sentences(place):
    """Each text of the module; of its docstrings those of commands, which their --help shows."""
    tree = ast.parse(place.read_text(encoding="utf-8"))
    silent = {id(node.body[0].value) for node in ast.walk(tree) if isinstance(node, DOCUMENTED) and is_silent(node)}
    texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in silent)
    return [node.value for node in texts if isinstance(node.value, str)]


def is_silent(node):
    """Whether the node has a docstring that no --help shows."""
    shown = any(re.search("command|group", ast.unparse(one)) for one in getattr(node, "decorator_list", []))
    return ast.get_docstring(node) is not None and not shown
