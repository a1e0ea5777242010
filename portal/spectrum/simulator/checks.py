"""What Spectrum checks for every service, level by level [D7]: authorisation, required fields, then length, numbers and dates."""

import re
from collections.abc import Iterator, Mapping

from portal.spectrum.fields import BY_NAME, NOT_IN_KEYS, Field
from portal.spectrum.outcomes import Row
from portal.spectrum.simulator.master import Master, day

NOT_SET_UP = "The Web Service is not authorized. Authorization ID is not setup in the system."  # [D3]
MASK = "{} is invalid, value does not match specified field mask"  # [D3]
VERSION = re.compile(r"\d{1,3}(\.\d{1,3}){0,3}", re.ASCII)  # [D11]
DAY = re.compile(r"\d\d([/-])\d\d\1\d{4}", re.ASCII)


def authorisation(values: Mapping[str, str], service: str, master: Master) -> Iterator[Row]:
    """Level 1. Only the first text is published; the others are SIM."""
    identity = master.authorization_ids.get(values["Authorization_ID"])
    company = values.get("Company_Code") or values.get("pCompany_Code")
    if identity is None:
        yield Row("A", NOT_SET_UP, "Authorization_ID")
    elif not identity.active:
        yield Row("A", "The Web Service is not authorized. Authorization ID is not active.", "Authorization_ID")
    elif service not in identity.services:
        yield Row("A", f"The Web Service is not authorized. Authorization ID may not use {service}.", "Authorization_ID")
    elif company and company not in identity.companies:
        yield Row("A", f"The Web Service is not authorized for company {company}.", "Authorization_ID")


def required(values: Mapping[str, str]) -> Iterator[Row]:
    """Level 1 too: the Req column of the table, read strictly [D12]."""
    for name, value in values.items():
        if BY_NAME[name].required and not value:
            yield Row("M", f"{name} must be supplied", name)


def cut(values: Mapping[str, str]) -> dict[str, str]:
    """Level 2: text longer than its field is cut off without a word [D14]. Numbers and dates keep their length for the mask."""
    return {name: value[: BY_NAME[name].width] if BY_NAME[name].kind == "text" else value for name, value in values.items()}


def masks(values: Mapping[str, str]) -> Iterator[Row]:
    """Level 2: form of numbers and dates [D14], characters of keys [D14]."""
    for name, value in values.items():
        if value and not _fits(BY_NAME[name], value):
            yield Row("I", MASK.format(name), name)


def _fits(field: Field, value: str) -> bool:
    if field.kind == "number":
        return len(value) <= field.width and re.fullmatch(_number(field), value, re.ASCII) is not None
    if field.kind == "date":
        return DAY.fullmatch(value) is not None and _is_day(value)
    return not (field.key and NOT_IN_KEYS & set(value))


def _number(field: Field) -> str:
    sign = "-?" if field.signed else ""
    decimals = rf"(\.\d{{0,{field.decimals}}})?" if field.decimals else ""
    return rf"{sign}\d{{1,{field.whole}}}{decimals}"


def _is_day(value: str) -> bool:
    try:
        day(value)
    except ValueError:
        return False
    return True
