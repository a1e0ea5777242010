"""The fields a file may have, each with its type, its longest value, and the sentence for what does not fit."""

import re
import unicodedata
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator

from portal.domain import currencies, days, keys, money
from portal.domain.commitments import Kind

LONGEST = 20_000  # characters that are looked at at all
AS_TEXT = "Format the column as Text where the file is made, and write it again."
POWER_OF_TEN = re.compile(r"-?[0-9](?:[.,][0-9]{1,14})?E[+-][0-9]{2,3}", re.ASCII)
WIDTHLESS = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
BLANK = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
QUANTITY = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,10})?")
KINDS = {
    "subcontract": Kind.SUBCONTRACT,
    "sc": Kind.SUBCONTRACT,
    "workordercontract": Kind.SUBCONTRACT,
    "purchaseorder": Kind.PURCHASE_ORDER,
    "po": Kind.PURCHASE_ORDER,
    "purchaseordercontract": Kind.PURCHASE_ORDER,
}
YES, NO = {"yes", "y", "true", "1"}, {"no", "n", "false", "0"}


def _text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError("is not a text or a number.")
    if len(value) > LONGEST:
        raise ValueError(f"has {len(value):,} characters; that is more than any field holds.")
    if odd := next((one for one in value if one == "\0" or unicodedata.category(one) == "Cs"), ""):
        raise ValueError(f"contains a character that cannot be stored (U+{ord(odd):04X}).")
    return unicodedata.normalize("NFC", value).strip()


def _up_to(longest: int, *, required: bool = False, one_line: bool = True) -> BeforeValidator:
    read = _legible if one_line else _text
    return BeforeValidator(lambda value: _checked(read(value), longest, required=required, one_line=one_line))


def _code_up_to(longest: int, *, required: bool = False) -> BeforeValidator:
    """A number or code: plain dashes and digits whatever it was written with, and never what a spreadsheet made of it."""
    return BeforeValidator(lambda value: _seen(_checked(_as_typed(keys.plain(_text(value))), longest, required=required, one_line=True)))


def _checked(text: str, longest: int, *, required: bool, one_line: bool) -> str:
    if required and not text:
        raise ValueError("is missing.")
    if len(text) > longest:
        raise ValueError(f"has {len(text)} characters; {longest} fit.")
    if one_line and (odd := next((one for one in enumerate(text, 1) if not one[1].isprintable()), None)):
        raise ValueError(f"contains a line break or another control character ({_named(odd[1])}, character {odd[0]}).")
    return text


def _seen(code: str) -> str:
    if unseen := keys.odd(code):
        raise ValueError(unseen)
    return code


def _as_typed(code: str) -> str:
    if POWER_OF_TEN.fullmatch(code):
        raise ValueError(f"“{code}” is what Excel makes of a long number: its digits are lost. {AS_TEXT}")
    if code.startswith(("=", "'")):
        raise ValueError(f"“{code[:40]}” begins with “{code[0]}”, as a formula or a text in Excel does. Write the code alone.")
    return code


def _legible(value: Any) -> str:
    """A name: blanks of all kinds are blanks, and what has no width is dropped, as it comes along with copied text."""
    text = _text(value)
    return text if text.isascii() else BLANK.sub(" ", WIDTHLESS.sub("", text)).strip()


def _named(character: str) -> str:
    """`zero width space, U+200B`"""
    name = unicodedata.name(character, "").lower()
    return f"{name}, U+{ord(character):04X}" if name else f"U+{ord(character):04X}"


def _money(value: Any) -> Decimal:
    text = _text(value)
    if not text:
        raise ValueError("is missing.")
    return money.parse(text)


def _quantity(value: Any) -> Decimal | None:
    text = _text(value)
    if not text:
        return None
    if not QUANTITY.fullmatch(text):
        raise ValueError(f"“{text[:40]}” is not a quantity. Write it like 12 or 12.5: digits and a point.")
    return Decimal(f"{Decimal(text).normalize() + 0:f}")


def _day(value: Any) -> date | None:
    text = _text(value)
    return days.read(text) if text else None


def _kind(value: Any) -> str:
    text = _text(value)
    found = KINDS.get(re.sub(r"[ _-]", "", text).casefold(), "")
    if text and not found:
        raise ValueError(f"“{text[:40]}” is not a kind of commitment. Write subcontract or purchase order.")
    return found


def _yes_or_no(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    text = _text(value).casefold()
    if text and text not in YES | NO:
        raise ValueError(f"“{text[:40]}” is neither yes nor no.")
    return None if not text else text in YES


def _revision(value: Any) -> int:
    text = _text(value)
    if not re.fullmatch(r"[0-9]{0,4}", text):
        raise ValueError(f"“{text[:40]}” is not a revision number. Write 0, 1, 2 ...")
    return int(text or 0)


def _status(value: Any) -> str:
    """`no_charge` as Procore writes it reads `No Charge`."""
    text = _text(value)
    if not text:
        raise ValueError("is missing.")
    if len(text) > 40 or not text.isprintable():
        raise ValueError("is not a status; 40 characters fit.")
    return text.replace("_", " ").title() if text.islower() else text


Job = Annotated[str, _code_up_to(10, required=True)]
Code = Annotated[str, _code_up_to(10)]
Name = Annotated[str, _up_to(100)]
NeededName = Annotated[str, _up_to(100, required=True)]
Commitment = Annotated[str, _code_up_to(30, required=True)]
Number = Annotated[str, _code_up_to(12, required=True)]
Title = Annotated[str, _up_to(500, one_line=False)]
Description = Annotated[str, _up_to(10_000, one_line=False)]
Phase = Annotated[str, _code_up_to(30)]
CostType = Annotated[str, _code_up_to(10)]
BidItem = Annotated[str, _code_up_to(11)]
Unit = Annotated[str, _up_to(10)]
Money = Annotated[Decimal, BeforeValidator(_money)]
MoneyIfAny = Annotated[Decimal | None, BeforeValidator(lambda value: _money(value) if _text(value) else None)]
Tax = Annotated[Decimal, BeforeValidator(lambda value: _money(value) if _text(value) else Decimal("0.00"))]
Currency = Annotated[str, BeforeValidator(lambda value: currencies.read(_text(value)))]
Day = Annotated[date | None, BeforeValidator(_day)]
Quantity = Annotated[Decimal | None, BeforeValidator(_quantity)]
CommitmentKind = Annotated[str, BeforeValidator(_kind)]
NeededKind = Annotated[str, BeforeValidator(lambda value: _kind(value) or _missing())]
YesOrNo = Annotated[bool | None, BeforeValidator(_yes_or_no)]
Revision = Annotated[int, BeforeValidator(_revision)]
Status = Annotated[str, BeforeValidator(_status)]


def _missing() -> str:
    raise ValueError("is missing.")
