"""Currencies by their codes of three letters, and by the signs that people write for them."""

import re

CODE = re.compile("[A-Z]{3}", re.ASCII)
# What a company may keep its books in: pages and mails write amounts with $.
OF_BOOKS = {"USD": "US dollars", "CAD": "Canadian dollars", "AUD": "Australian dollars", "NZD": "New Zealand dollars"}
DOLLAR = "$"  # of whichever dollars the change order is in
DOLLARS = {*OF_BOOKS, "MXN", "SGD", "HKD", "TWD"}  # what people write with it
SIGNS = {
    "US$": "USD", "C$": "CAD", "CA$": "CAD", "A$": "AUD", "AU$": "AUD", "NZ$": "NZD", "MX$": "MXN",
    "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₽": "RUB", "₩": "KRW",
}  # fmt: skip
COMMON = (  # codes that are taken for one beside an amount
    "USD", "CAD", "AUD", "NZD", "MXN", "EUR", "GBP", "CHF", "JPY", "CNY", "INR", "KRW", "RUB", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF",
    "TRY", "ZAR", "BRL", "ARS", "CLP", "COP", "PEN", "SGD", "HKD", "TWD", "THB", "IDR", "MYR", "PHP", "VND", "ILS", "AED", "SAR",
    "QAR", "KWD",
)  # fmt: skip


def agree(one: str, other: str) -> bool:
    """Whether two ways of writing a currency, codes or signs, can mean the same one."""
    here, there = read(one), read(other)
    return here == there if here and there else (here or there) in {"", *DOLLARS}


def read(text: str) -> str:
    """The code; empty for the company's own. Raises ValueError with a plain sentence."""
    said = text.strip().upper()
    code = "" if said == DOLLAR else SIGNS.get(said, said)
    if code and not CODE.fullmatch(code):
        raise ValueError(f"“{text.strip()[:40]}” is not a currency. Write its code of three letters, such as USD.")
    return code
