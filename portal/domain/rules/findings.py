"""What a rule found: what is wrong, who can fix it, how."""

from collections.abc import Iterable
from dataclasses import dataclass

PROJECT, ACCOUNTING, ADMIN = "the project team", "accounting", "an administrator"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a rule found.

    rule   number of the rule
    field  name of the form field or fact it is about
    text   what is wrong and why
    who    who can fix it
    fix    what to do
    place  position and column of the one line it is about, such as (2, "amount"); None where it is about no line or several
    """

    rule: int
    field: str
    text: str
    who: str = PROJECT
    fix: str = ""
    blocking: bool = True
    place: tuple[int, str] | None = None

    def __str__(self) -> str:
        return f"{self.text} {self.fix}".strip()


class Blocked(Exception):
    """Rules forbid the step; `findings` are all of them, warnings included."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__(" ".join(str(finding) for finding in blocking(findings)))
        self.findings = findings


def blocking(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.blocking]


def require(findings: list[Finding]) -> None:
    """Raise Blocked if any of them blocks."""
    if blocking(findings):
        raise Blocked(findings)


def verdict(findings: list[Finding]) -> str:
    """`clean`, `warn` or `block`: the worst of them."""
    if blocking(findings):
        return "block"
    return "warn" if findings else "clean"
