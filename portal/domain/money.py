"""Money as people write and read it: one strict pattern in, an exact Decimal out."""

import re
from decimal import Decimal

PATTERN = re.compile(r"-?[0-9]{1,10}(\.[0-9]{1,2})?")
LARGEST = Decimal("9999999999.99")  # Spectrum's -10.2 layout


def parse(text: str) -> Decimal:
    """US dollars, at most 10 digits before the point and 2 after; minus first. Raises ValueError with a plain sentence.

    ASCII digits only: Decimal itself would also take `1_000`, `NaN`, `1E+2` and Arabic digits.
    """
    text = text.strip(" ")
    if not PATTERN.fullmatch(text):
        raise ValueError(f"“{text[:40]}” is not an amount. Write it like 1234.50 or -1234.50: digits, a point, at most two decimals.")
    return Decimal(text).quantize(Decimal("0.01")) + 0  # + 0 turns -0.00 into 0.00


def dollars(amount: Decimal) -> str:
    """1234.5 -> $1,234.50; a credit with a true minus sign."""
    return f"{'−' if amount < 0 else ''}${abs(amount):,.2f}"
