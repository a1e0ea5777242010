"""Every rule a change order must meet, one small function each; the same ones for the project, the approver and the worker.

The numbers are those of the table in docs/rules.md. A rule answers with findings: what is wrong, who can fix it, how.
"""

from collections.abc import Callable, Iterator, Sequence

from portal.domain.change_orders import ChangeOrder
from portal.domain.rules import duplicates, line_rules, spectrum_lists, spectrum_rules, text_rules
from portal.domain.rules.duplicates import Likeness
from portal.domain.rules.findings import Finding, blocking
from portal.domain.rules.spectrum_lists import Known
from portal.domain.wording import Wording

Rule = Callable[[ChangeOrder], Iterator[Finding]]


AT_SEND: tuple[Rule, ...] = (
    text_rules.number,
    text_rules.title,
    text_rules.project_status,
    spectrum_rules.commitment,
    spectrum_rules.vendor,
    spectrum_rules.job,
    line_rules.lines,
    line_rules.repeats,
    line_rules.amounts,
    line_rules.total,
    line_rules.zeros,
    text_rules.description_length,
    line_rules.tax,
    line_rules.currency,
    text_rules.characters,
)
AT_ACCEPT: tuple[Rule, ...] = (
    text_rules.title,
    spectrum_rules.commitment,
    spectrum_rules.vendor,
    spectrum_rules.job,
    line_rules.lines,
    line_rules.repeats,
    line_rules.amounts,
    line_rules.total,
    line_rules.zeros,
    line_rules.tax,
    line_rules.currency,
    text_rules.characters,
)
IN_SPECTRUM = (spectrum_rules.job_in_spectrum, spectrum_rules.vendor_in_spectrum, spectrum_rules.phases_in_spectrum)


def at_send(co: ChangeOrder, known: Known | None = None, alike: Sequence[Likeness] | None = None) -> list[Finding]:
    """All findings that matter before a change order may go to accounting. `known`: see in_spectrum; `alike`: duplicates.of."""
    found = duplicates.of_one(co) if alike is None else alike
    return [*(finding for rule in AT_SEND for finding in rule(co)), *text_rules.looks_alike(found), *in_spectrum(co, known)]


def on_review(co: ChangeOrder, known: Known | None = None, alike: Sequence[Likeness] | None = None) -> list[Finding]:
    """What the approver sees in the Checks column: the rules about the change order itself, with `known` and `alike` as at_send."""
    found = [one for one in (duplicates.of_one(co) if alike is None else alike) if one.at_accounting]
    return [*(finding for rule in AT_ACCEPT for finding in rule(co)), *text_rules.looks_alike(found), *in_spectrum(co, known)]


def in_spectrum(co: ChangeOrder, known: Known | None = None) -> list[Finding]:
    """What Spectrum's own lists say against it. `known` is what they say, where a list asked for many at once (spectrum_lists.known)."""
    told = spectrum_lists.known([co])[co.id] if known is None else known
    return [finding for rule in IN_SPECTRUM for finding in rule(co, told)]


def at_accept(co: ChangeOrder, wording: Wording) -> list[Finding]:
    """All findings of an Accept in this wording."""
    replaced = {field for field, words in (("title", wording.title), ("description", wording.description)) if words is not None}
    return [
        *spectrum_rules.company_settings(co.company),
        *spectrum_rules.spectrum_number(co, wording.number),
        *spectrum_rules.custom_title(co, wording.title, wording.description),
        *spectrum_rules.accounting_date(co.company, wording.accounting_date),
        *(finding for finding in on_review(co) if finding.field not in replaced),
    ]


def before_send(co: ChangeOrder) -> list[Finding]:
    """What can change between Accept and the first byte: blocking findings only. What looks alike was judged at Accept."""
    return blocking([*spectrum_rules.company_settings(co.company), *on_review(co, alike=())])
