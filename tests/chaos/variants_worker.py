"""Workers with one thing broken: how they doubt, and how they send."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from portal import clock
from portal.db import transaction
from portal.domain import events, outbox
from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.exporting import calls, conclude, exports, quiet_window, readback, verify
from portal.domain.exporting import send as exporting_send
from portal.domain.exporting.exports import Attempt, Export, LineOutcome
from portal.domain.lanes import Lane
from tests.chaos import variants_stories as stories
from tests.chaos.variants_kit import Patch, variant
from tests.chaos.variants_office import LANE, Office

# Doubt


@variant(stories.a_late_commit, "quiet_is_kept", "nothing_else")
def no_quiet_window(patch: Patch, office: Office) -> None:
    patch.setattr(quiet_window, "LASTS", timedelta(0))
    patch.setattr(verify, "BETWEEN", timedelta(0))


@variant(stories.a_torn_connection, "sends_are_promised", "nothing_else")
def tried_again_on_a_time_out(patch: Patch, office: Office) -> None:
    make = calls.make

    def twice(call: Any, elements: Any, guid: str) -> Any:
        outcome, answer = make(call, elements, guid)
        return make(call, elements, guid) if outcome is LineOutcome.UNKNOWN else (outcome, answer)

    patch.setattr(calls, "make", twice)


@variant(stories.a_torn_connection, "quiet_is_kept", "nothing_else")
def doubt_queued_again_at_once(patch: Patch, office: Office) -> None:
    def again(dispatch: Any, change_order: ChangeOrder, latest: Any) -> None:
        change_order.move(Status.QUEUED, change_order.version)
        events.record("change_order", change_order.id, "postponed", text="We try again.")

    patch.setattr(conclude, "_mark_unknown", again)
    patch.setattr(verify, "look_first", lambda *_: True)


@variant(stories.a_dropped_call, "held_once")
def doubt_taken_for_good(patch: Patch, office: Office) -> None:
    make = calls.make

    def hopeful(call: Any, elements: Any, guid: str) -> Any:
        outcome, answer = make(call, elements, guid)
        return (LineOutcome.SENT, answer) if outcome is LineOutcome.UNKNOWN else (outcome, answer)

    patch.setattr(calls, "make", hopeful)


@variant(stories.a_blind_moment, "nothing_else")
def one_reading_is_enough(patch: Patch, office: Office) -> None:
    patch.setattr(readback, "not_seen", lambda export, since, until: set(dict(export.lines)))
    patch.setattr(verify, "look_first", lambda *_: True)


@variant(stories.a_dropped_call, "sends_are_frozen", "nothing_else")
def sent_again_with_other_amounts(patch: Patch, office: Office) -> None:
    make = calls.make

    def other(call: Any, elements: Mapping[str, str], guid: str) -> Any:
        again = Attempt.select().where(Attempt.kind == "send").count() > 1
        return make(call, {**elements, "Change_Request_Amount": "4250.01"} if again else elements, guid)

    patch.setattr(calls, "make", other)


# Sends


@variant(stories.killed_with_the_answer, "sends_are_promised")
def attempt_opened_after_the_send(patch: Patch, office: Office) -> None:
    def later(export: Export, line: int, claim: int, guid: str, kind: str = "send") -> Attempt:
        return Attempt(export=export, line=line, claim=claim, guid=guid, kind=kind)

    def close(attempt: Attempt, outcome: LineOutcome, **evidence: Any) -> None:
        attempt.outcome, attempt.ended_at = outcome, attempt.started_at
        for name, value in evidence.items():
            setattr(attempt, name, value)
        attempt.save(force_insert=True)

    patch.setattr(exports, "open_attempt", later)
    patch.setattr(exports, "close_attempt", close)


@variant(stories.killed_after_settling, "sends_are_promised", "answers_are_kept")
def evidence_rolled_back(patch: Patch, office: Office) -> None:
    send = exporting_send._send_lines

    def all_or_nothing(*arguments: Any) -> None:
        with transaction():
            send(*arguments)

    patch.setattr(exporting_send, "_send_lines", all_or_nothing)


@variant(stories.frozen_with_the_answer, "answers_are_kept")
def late_answer_thrown_away(patch: Patch, office: Office) -> None:
    def close(attempt: Attempt, outcome: LineOutcome, **evidence: Any) -> None:
        open_still = (Attempt.id == attempt.id) & Attempt.ended_at.is_null()
        Attempt.update(ended_at=clock.now(), outcome=outcome, **evidence).where(open_still).execute()

    patch.setattr(exports, "close_attempt", close)


@variant(stories.frozen_between_lines, "claims_only_grow")
def settled_without_the_claim(patch: Patch, office: Office) -> None:
    patch.setattr(Lane, "renew", lambda name, claim, lease: None)


@variant(stories.killed_before_anything, "everything_rests")
def done_before_it_is_done(patch: Patch, office: Office) -> None:
    """As with a job that leaves Redis when it is fetched."""
    begin = outbox.begin

    def fetch(dispatch: Any, retry_in: timedelta) -> None:
        begin(dispatch, retry_in)
        outbox.finish(dispatch)

    patch.setattr(outbox, "begin", fetch)


@variant(stories.killed_after_settling, "stored_lines_rest", "nothing_else")
def worker_knows_only_its_own_sends(patch: Patch, office: Office) -> None:
    def unsent(export: Export) -> list[int]:
        mine = {attempt.line for attempt in Attempt.select().where(Attempt.claim == Lane.get_by_id(LANE).claim)}
        return [line for line, _ in export.lines if line not in mine]

    office.simulator.options(repeat="append")
    patch.setattr(exports, "unsent", unsent)


@variant(stories.every_call_dropped, "sends_are_few")
def sends_without_end(patch: Patch, office: Office) -> None:
    patch.setattr(verify, "MOST_SENDS", 7)


@variant(stories.a_refused_line, "halves_are_told")
def half_not_told(patch: Patch, office: Office) -> None:
    patch.setattr(conclude, "_sent", lambda latest: [line for line, attempt in latest.items() if attempt.outcome == "refused"])
