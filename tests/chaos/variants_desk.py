"""Everything else with one thing broken: decisions, states and their trail, mail, secrets."""

import uuid
from collections.abc import Mapping
from typing import Any

from portal import messages
from portal.db import transaction
from portal.domain import change_orders, events, outbox
from portal.domain.change_orders import ALLOWED, ChangeOrder, Status
from portal.domain.events import Event
from portal.domain.exporting import alerts, calls, payload, verify
from portal.domain.exporting.exports import Export
from portal.domain.mail import daily_summary
from portal.domain.projects import sending
from portal.domain.review import decisions
from portal.domain.rules import four_eyes, spectrum_numbers
from portal.domain.wording import Wording
from portal.spectrum import records
from tests.chaos import variants_stories as stories
from tests.chaos.variants_kit import Patch, variant
from tests.chaos.variants_office import AUTHORIZATION_ID, Office

# Decisions


@variant(stories.two_approvers, "one_decision_each", "path_is_legal")
def no_compare_and_set(patch: Patch, office: Office) -> None:
    def move(self: ChangeOrder, target: Status, version: int, **changes: Any) -> None:
        ChangeOrder.update(status=target, version=ChangeOrder.version + 1, **changes).where(ChangeOrder.id == self.id).execute()
        self.__data__.update(changes, status=target, version=version + 1)

    patch.setattr(ChangeOrder, "move", move)
    patch.setattr(ChangeOrder, "expect", lambda self, version, *states: None)


@variant(stories.a_good_day, "told_the_truth")
def accepted_and_not_recorded(patch: Patch, office: Office) -> None:
    accept = decisions.accept

    class Undone(Exception):
        """Rolls everything back."""

    def forget(*arguments: Any, **words: Any) -> None:
        try:
            with transaction():
                accept(*arguments, **words)
                raise Undone
        except Undone:
            return

    patch.setattr(decisions, "accept", forget)


@variant(stories.two_approvers, "told_the_truth")
def recorded_though_refused(patch: Patch, office: Office) -> None:
    accept = decisions.accept

    def refuse(*arguments: Any, **words: Any) -> None:
        raise change_orders.Overtaken(accept(*arguments, **words))

    patch.setattr(decisions, "accept", refuse)


@variant(stories.a_writer_who_approves, "decided_by_another")
def writer_approves(patch: Patch, office: Office) -> None:
    patch.setattr(four_eyes, "why_not_decide", lambda *_: "")


@variant(stories.an_edit_too_late, "sends_are_frozen", "held_once", "path_is_legal")
def lines_not_frozen(patch: Patch, office: Office) -> None:
    editable = (*change_orders.EDITABLE, Status.QUEUED)
    patch.setattr(change_orders, "EDITABLE", editable)
    patch.setattr(sending, "EDITABLE", editable)

    def live(self: Export) -> payload.Payload:
        change_order = change_orders.load(self.change_order_id)
        return payload.build(change_order, Wording(self.number, accounting_date=self.created_at.date()))

    patch.setattr(Export, "payload", property(live))


@variant(stories.a_good_day, "frozen_as_sent")
def cents_left_out(patch: Patch, office: Office) -> None:
    build = payload.build

    def rounded(change_order: ChangeOrder, wording: Wording) -> payload.Payload:
        for line in change_order.lines:
            line.amount = line.amount and round(line.amount, -2)
        return build(change_order, wording)

    patch.setattr(payload, "build", rounded)


@variant(stories.two_change_orders, "numbers_are_ours_alone")
def number_used_twice(patch: Patch, office: Office) -> None:
    patch.setattr(spectrum_numbers, "propose", lambda change_order: "S014-001")
    patch.setattr(spectrum_numbers, "holder_of", lambda change_order, number: None)
    patch.setattr(spectrum_numbers, "reserve", lambda change_order, number: None)
    patch.setattr(verify, "look_first", lambda *_: True)


# States and their trail


@variant(stories.a_change_of_mind, "path_is_legal")
def transition_that_does_not_exist(patch: Patch, office: Office) -> None:
    patch.setitem(ALLOWED, Status.EXPORTED, {Status.REJECTED})
    patch.setattr(decisions, "REJECTABLE", (*decisions.REJECTABLE, Status.EXPORTED))


@variant(stories.a_good_day, "one_event_each", "path_is_legal")
def event_left_out(patch: Patch, office: Office) -> None:
    record = events.record
    patch.setattr(events, "record", lambda *what, **facts: None if what[2] == "exporting" else record(*what, **facts))


@variant(stories.a_good_day, "one_event_each", "path_is_legal")
def event_recorded_twice(patch: Patch, office: Office) -> None:
    record = events.record

    def twice(*what: Any, **facts: Any) -> Event:
        record(*what, **facts)
        return record(*what, **facts)

    patch.setattr(events, "record", lambda *what, **facts: (twice if what[2] == "exported" else record)(*what, **facts))


@variant(stories.a_good_day, "chain_holds")
def trail_not_sealed(patch: Patch, office: Office) -> None:
    patch.setattr(Event, "seal", lambda self: uuid.uuid4().hex * 2)


# Mail


@variant(stories.a_mail_worker_dies, "mails_are_promised", "promises_are_mailed")
def message_id_per_try(patch: Patch, office: Office) -> None:
    patch.setattr(messages, "message_id", lambda key, sender: f"<{uuid.uuid4().hex}@{sender.rpartition('@')[2]}>")


@variant(stories.sent_back, "rejections_are_mailed")
def rejection_without_a_promise(patch: Patch, office: Office) -> None:
    patch.setattr(outbox, "promise", lambda *_: None)


@variant(stories.a_refused_line, "trouble_is_told")
def failure_kept_quiet(patch: Patch, office: Office) -> None:
    patch.setattr(alerts, "ring", lambda cause, group: None)


@variant(stories.sent_back, "mails_are_promised")
def mail_to_somebody_nobody_named(patch: Patch, office: Office) -> None:
    message_id = messages.message_id

    def and_a_copy(key: str, sender: str) -> str:
        copy = b"Subject: For your information\r\nMessage-ID: <copy@portal>\r\n\r\nFYI"
        office.mailbox.add(sender, ["somebody@example.test"], copy)
        return message_id(key, sender)

    patch.setattr(messages, "message_id", and_a_copy)


@variant(stories.two_keepers_in_the_morning, "one_summary_a_day")
def summary_without_a_key(patch: Patch, office: Office) -> None:
    patch.setattr(daily_summary, "key", lambda day, person: f"daily:{day.isoformat()}:{uuid.uuid4().hex}:{person}")


# Secrets


@variant(stories.a_good_day, "no_secret_is_told")
def authorization_id_in_a_log(patch: Patch, office: Office) -> None:
    make = calls.make

    def talkative(call: Any, elements: Mapping[str, str], guid: str) -> Any:
        with (office.folder / "worker.log").open("a") as log:
            log.write(f"calling as {AUTHORIZATION_ID} with {guid}\n")
        return make(call, elements, guid)

    patch.setattr(calls, "make", talkative)


@variant(stories.a_dropped_call, "no_secret_is_told")
def authorization_id_in_an_excerpt(patch: Patch, office: Office) -> None:
    evidence_of = calls.evidence_of

    def whole(answer: records.SpectrumError) -> dict[str, Any]:
        return {**evidence_of(answer), "answer": f"<Authorization_ID>{AUTHORIZATION_ID}</Authorization_ID>"}

    patch.setattr(calls, "evidence_of", whole)
