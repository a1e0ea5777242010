"""A question of an approver to the project team, and its answer. The change order stays ready to export meanwhile."""

from portal import clock
from portal.db import transaction
from portal.domain import change_orders, events, outbox, people, transitions
from portal.domain.change_orders import SUBJECT, ChangeOrder, Overtaken, Status
from portal.domain.events import Action, Event
from portal.domain.lanes import MAIL
from portal.domain.outbox import Task
from portal.domain.people import User
from portal.domain.projects import sending
from portal.domain.rules import contributors, four_eyes, text_rules
from portal.domain.rules.findings import PROJECT, Finding, require


def ask(id: int, by: User, version: int, question: str) -> ChangeOrder:
    """Put a question to the sender and the creator, by mail. To ask is no contribution: who asks may decide.

    Raises NotPermitted, Overtaken, or Blocked for a question that is none, or beside one that is open.
    """
    question = question.strip()
    with transaction():
        by, change_order, is_repeat = transitions.begin(id, by, Action.ASKED, version, Status.READY)
        if is_repeat:
            return change_order
        four_eyes.ensure_may_decide(change_order, by)
        require([*_open(change_order), *text_rules.remark(26, "question", question, "Write a question.")])
        earlier = int(change_order.answering.total_seconds())
        change_order.keep(version, asked_at=clock.now(), answered_at=None, answering_s=earlier)
        for person in contributors.authors(change_order):
            outbox.promise(f"question:{id}:{change_order.version}:{person}", MAIL, Task.QUESTION, id)
        transitions.record(change_order, Action.ASKED, by, version, note=question)
        return change_order


def answer(id: int, by: User, question: int, answer: str) -> ChangeOrder:
    """Answer the question that is open; `question` is the `seq` of its event. Who answers speaks for the project, and does not decide.

    Raises NotPermitted, Overtaken where it is answered or decided by now, or Blocked for an answer that is none.
    """
    answer = answer.strip()
    with transaction():
        by, change_order = people.as_held(by), change_orders.hold(id)
        sending.ensure_may_write(change_order, by)
        last = latest(change_order)
        if last and last.action == Action.ANSWERED and last.actor_id == by.id and last.facts["question"] == question:
            return change_order  # a double click, or a retry after a lost answer
        if not (change_order.is_ready and change_order.is_asked and last and last.seq == question):
            raise Overtaken(change_order)
        require(text_rules.remark(26, "answer", answer, "Write an answer.", PROJECT))
        version = change_order.version
        change_order.keep(version, answered_at=clock.now())
        contributors.record(id, [by], contributors.ANSWERED)
        transitions.record(change_order, Action.ANSWERED, by, version, question=question, note=answer)
        return change_order


def latest(change_order: ChangeOrder) -> Event | None:
    """The last question or answer."""
    return events.latest(SUBJECT, [change_order.id], of=(Action.ASKED, Action.ANSWERED)).get(change_order.id)


def why_not_answer(change_order: ChangeOrder, by: User) -> str:
    """Why this person may not answer the open question, or an empty text."""
    return "" if by.is_member_of(change_order.job) else sending.NO_MEMBER.format(change_order.job.number)


def _open(change_order: ChangeOrder) -> list[Finding]:
    text = "A question to the sender has no answer yet."
    return [Finding(26, "question", text, PROJECT, "Wait for the answer, or decide without it.")] if change_order.is_asked else []
