"""Whether the promise of exactly once was kept: every invariant, held against what a rehearsal left behind.

Give it time to rest first (`at_rest`); heal everything, release nothing by hand. Then `check` answers every violation.
"""

from collections.abc import Callable, Iterator

from tests.chaos import checker_books, checker_mail, checker_people, checker_rest, checker_secrets, checker_sends, checker_states
from tests.chaos.checker_evidence import Evidence, Violation

__all__ = ["INVARIANTS", "Evidence", "Violation", "at_rest", "check"]

Invariant = Callable[[Evidence], Iterator[str]]

INVARIANTS: tuple[Invariant, ...] = (
    checker_books.held_once,
    checker_books.nothing_else,
    checker_books.frozen_as_sent,
    checker_books.numbers_are_ours_alone,
    checker_books.halves_are_told,
    checker_sends.sends_are_promised,
    checker_sends.sends_are_frozen,
    checker_sends.quiet_is_kept,
    checker_sends.sends_are_few,
    checker_sends.claims_only_grow,
    checker_sends.stored_lines_rest,
    checker_sends.answers_are_kept,
    checker_people.one_decision_each,
    checker_people.decided_by_another,
    checker_people.told_the_truth,
    checker_states.path_is_legal,
    checker_states.one_event_each,
    checker_states.chain_holds,
    checker_mail.rejections_are_mailed,
    checker_mail.trouble_is_told,
    checker_mail.promises_are_mailed,
    checker_mail.mails_are_promised,
    checker_mail.one_summary_a_day,
    checker_rest.everything_rests,
    checker_secrets.no_secret_is_told,
)


def check(evidence: Evidence) -> list[Violation]:
    """All that is broken; nothing, if the promise was kept."""
    return [Violation(invariant.__name__, text) for invariant in INVARIANTS for text in invariant(evidence)]


def at_rest(database_url: str) -> bool:
    """Whether nothing is under way any more and nothing will be by itself; what a pause holds up, or a person has to settle, rests."""
    return not any(True for _ in checker_rest.unrest(database_url))
