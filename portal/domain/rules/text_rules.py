"""Rules about number, title, description and status: what a person wrote."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from portal.domain import keys
from portal.domain.change_orders import ChangeOrder
from portal.domain.rules import duplicates
from portal.domain.rules.duplicates import Likeness
from portal.domain.rules.findings import ACCOUNTING, PROJECT, Finding
from portal.domain.transitions import LONGEST_REASON
from portal.spectrum import records

SET_CODE = "An administrator or approver sets it on the page of the commitment, under Spectrum codes."
CORRECT_CODE = SET_CODE.replace("sets", "corrects")
KEY_CHARACTERS = re.compile(r"""[/*?"'><#,&~]""")  # Spectrum refuses these in key fields
LONGEST_TITLE, LONGEST_DESCRIPTION = 30, 250


def number(co: ChangeOrder) -> Iterator[Finding]:
    if not 1 <= len(co.number.strip()) <= 12:
        yield Finding(1, "number", "The CCO number needs 1 to 12 characters.", fix="Give it a number that is unique in the commitment.")
    elif unseen := keys.odd(co.number):
        yield Finding(1, "number", f"The CCO number {unseen.removesuffix(' Delete it.')}", fix="Delete it.")
    elif taken := _same_number(co):
        yield Finding(1, "number", f"Commitment {co.commitment.number} already has a CCO {taken}.", fix="Choose another number.")


def title(co: ChangeOrder) -> Iterator[Finding]:
    yield from title_length(co.title)


def title_length(text: str) -> Iterator[Finding]:
    length = len(text.strip())
    if not length:
        yield Finding(2, "title", "The title is empty.", fix="Give it a title of 1 to 30 characters.")
    elif length > LONGEST_TITLE:
        yield Finding(2, "title", f"The title has {length} characters; Spectrum holds 30.", fix="Shorten the title.")


def project_status(co: ChangeOrder) -> Iterator[Finding]:
    if co.project_status.casefold() != "approved":
        yield Finding(
            3,
            "project_status",
            f"The change order is “{co.project_status}” on the project, not Approved.",
            fix="Approve it in the project system, and bring it from there again.",
        )


def description_length(co: ChangeOrder) -> Iterator[Finding]:
    if len(co.description) > LONGEST_DESCRIPTION and not records.unfoldable(co.number + co.title + co.description):
        received = records.describe(co.number, co.title, co.description)
        text = f"The description has {len(co.description)} characters; Spectrum gets: “{received}”"
        yield Finding(13, "description", text, blocking=False)


def characters(co: ChangeOrder) -> Iterator[Finding]:
    for field, text in (("CCO number", co.number), ("title", co.title), ("description", co.description)):
        yield from characters_of(field, text)


def characters_of(field: str, text: str) -> Iterator[Finding]:
    if text.isascii() and text.isprintable():  # nearly all are
        return
    bare = text.replace("\n", " ").replace("\r", " ").replace("\t", " ") if field == "description" else text
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in bare):
        yield Finding(16, field, f"The {field} contains control characters.", fix="Delete them; they often come with copied text.")
    elif lost := records.unfoldable(bare):
        yield Finding(16, field, f"The {field} contains characters Spectrum cannot store: {lost}", fix="Replace them.")
    elif not bare.isascii():
        yield Finding(16, field, f"Spectrum stores plain letters only: the {field} will read “{records.fold(text)}”.", blocking=False)


def remark(rule: int, field: str, text: str, missing: str, who: str = ACCOUNTING, fix: str = "") -> list[Finding]:
    """A reason, note, question or answer: 1 to 1000 characters that a mail can carry. `missing` and `fix` are said of an empty one."""
    if not text:
        return [Finding(rule, field, missing, who, fix)]
    if len(text) > LONGEST_REASON:
        return [Finding(rule, field, f"The {field} has {len(text)} characters; {LONGEST_REASON} fit.", who, "Shorten it.")]
    found = characters_of("description", text)
    return [Finding(rule, field, f"The {field} contains control characters.", who, one.fix) for one in found if "control" in one.text]


def looks_alike(found: Iterable[Likeness]) -> Iterator[Finding]:
    """Rule 23: what looks like another one waits until a person says that it is not the same."""
    for one in found:
        fix = "" if one.said else "Correct the number, or say on the page of the change order that it is another one."
        yield Finding(23, duplicates.FIELDS[one.kind], one.text, fix=fix, blocking=not one.said)


def key_code(rule: int, field: str, name: str, value: str, who: str = ACCOUNTING, fix: str = CORRECT_CODE) -> Iterator[Finding]:
    if len(value) > 10:
        yield Finding(rule, field, f"{name} has {len(value)} characters; Spectrum allows 10.", who, fix)
    if value != value.strip():
        yield Finding(rule, field, f"{name} begins or ends with a blank.", who, fix)
    yield from bad_characters(rule, field, name, value, who, fix)


def bad_characters(rule: int, field: str, name: str, value: str, who: str = PROJECT, fix: str = "Correct the code.") -> Iterator[Finding]:
    if KEY_CHARACTERS.search(value) or not value.isascii() or not value.isprintable():
        yield Finding(rule, field, f"{name} contains characters Spectrum does not take in codes.", who, fix)


def _same_number(co: ChangeOrder) -> str:
    """How the other one spells it. Two that an earlier portal made of one key are look-alikes: to correct one is not to rename it."""
    key = keys.change_order(co.number)
    if co.twin and key == co.key:
        return ""
    same = ChangeOrder.commitment == co.commitment_id, ChangeOrder.key == key, ChangeOrder.twin == 0, ChangeOrder.id != (co.id or 0)
    return ChangeOrder.select(ChangeOrder.number).where(*same).limit(1).scalar() or ""
