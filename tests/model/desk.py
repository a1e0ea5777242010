"""What the machine's rules have in common: the portal's answer beside what the model says, and what must be true after each step."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine, invariant

from portal.domain.change_orders import ChangeOrder, Overtaken, Status, load, with_lines
from portal.domain.commitments import Commitment
from portal.domain.exporting import exports
from portal.domain.exporting.exports import Export
from portal.domain.imports import import_run
from portal.domain.imports.entries import Entry
from portal.domain.people import NotPermitted, User
from portal.domain.projects import delivery, sending
from portal.domain.recovery import resolutions
from portal.domain.review import signature
from portal.domain.rules.findings import Blocked
from tests.model import told
from tests.model.ground import ADMIN, APPROVERS, CODES, ELEMENTS, Ground, Killed, change
from tests.model.model import ALIKE, EDITABLE, JOB, SENT_BACK, Broken, Content, Elements, Model, Order, ensure, key_of, says

REFUSALS = (Blocked, NotPermitted, Overtaken, signature.Changed, delivery.CameBack)
ROUNDS = 12  # of work and waiting, until everything has come to rest
NOTE = "Looked it up in Spectrum."
Act = Callable[[], Any]
Spelled = tuple[str, str]  # a number, and how somebody spells it


class Desk(RuleBasedStateMachine):
    """`file`: the database that each example begins with. `examples` and `steps` count what was tried until something broke (`found`)."""

    file: Path
    examples = steps = 0
    found: tuple[int, int] | None = None

    def __init__(self) -> None:
        super().__init__()
        self.model = Model(settings={ELEMENTS[name]: values[0] for name, values in CODES.items()})
        self.ground = Ground(self.file, self.departs, lambda: self.correct("code"))
        self.seen: dict[tuple[str, int], tuple[int, signature.Marks, list[Elements]]] = {}
        Desk.examples += 1

    def teardown(self) -> None:
        """What is still on its way is driven to rest, and all of it stays true."""
        with self.ground:
            try:
                if sys.exc_info()[0] is None:
                    self.rest()
            finally:
                if sys.exc_info()[0] is Broken:
                    Desk.found = Desk.found or (Desk.examples, Desk.steps)

    def rest(self) -> None:
        for _ in range(ROUNDS):
            if not self.those("queued", "exporting", "unknown"):
                break
            self.ground.work([])
            self.ground.tick(minutes=16)
            for order, _ in self.those("unknown"):
                for who in APPROVERS:
                    if self.state(order) == "unknown":
                        self.tell(order, who)
        self.stays_true()
        ensure(not self.those("queued", "exporting"), "An accepted change order never comes to rest")
        stuck = [order.id for order, _ in self.those("unknown") if order.contributors < set(APPROVERS)]
        ensure(not stuck, f"CCO {stuck} stays unknown, whoever looks")

    # What is true after each step

    @invariant()
    def stays_true(self) -> None:
        Desk.steps += 1
        found = with_lines(ChangeOrder.select().order_by(ChangeOrder.id))
        ensure([one.id for one in found] == list(self.model.orders), "There is a change order that nobody made, or one is gone")
        for change_order in found:
            order = self.model.orders[change_order.id]
            ensure(content_of(change_order) == order.content, f"CCO {order.id} says {content_of(change_order)}, not {order.content}")
            brought = order.was in SENT_BACK and change_order.state not in (*SENT_BACK, Status.VOID) and not order.is_resent
            ensure(not brought, f"CCO {order.id} was {order.was} and is {change_order.state}, and nobody sent it again")
            order.was, order.is_resent = str(change_order.state), False
            if change_order.state in told.WAITING and (order.told != change_order.version or change_order.state in told.OPEN):
                told.check(change_order)
                order.told = change_order.version
        self.books_agree()

    def books_agree(self) -> None:
        """Spectrum holds each accepted change order once, under its own number, as it was signed, and nothing else."""
        held = self.ground.held()
        for key, lines in held.items():
            owner = self.model.orders[self.model.owners[key]]
            ensure(owner.key == key, f"CCO {owner.id} stands in Spectrum as {key}, and as {owner.key} too")
            strange = [line for line in lines if not any(says(line, signed) for signed in owner.signed)]
            ensure(not strange, f"CCO {owner.id} stands in Spectrum otherwise than it was signed: {strange}")
            ensure(len(lines) <= len(owner.signed), f"CCO {owner.id} stands in Spectrum twice")
        for order in self.model.orders.values():
            if order.was == "exported":
                whole = len(held.get(order.key, [])) == len(order.signed)
                ensure(whole, f"CCO {order.id} is Exported, and Spectrum holds only a part of it")

    # The portal beside the model

    def person(self, name: str) -> User:
        return self.ground.people[name]

    def state(self, order: Order) -> str:
        return str(ChangeOrder.get_by_id(order.id).status)

    def those(self, *states: str) -> list[tuple[Order, ChangeOrder]]:
        found = ChangeOrder.select().where(ChangeOrder.status.in_(states)).order_by(ChangeOrder.id)
        return [(self.model.orders[one.id], one) for one in found]

    def pick(self, spot: int, *states: str) -> tuple[Order, ChangeOrder]:
        found = self.those(*states)
        return found[spot % len(found)]

    def tries(self, act: Act) -> Any:
        """What came of it; None where the portal refused it in words of its own."""
        try:
            return act()
        except REFUSALS:
            return None

    def decides(self, order: Order, who: str, act: Act, *, undoes: bool = False) -> None:
        """A decision by `who`. One that `undoes` the export is made by somebody who takes out of Spectrum what is there of it."""
        if self.tries(act):
            self.model.decides(order, who)
            if undoes:
                order.signed = []
                self.ground.flush()
                if order.key:
                    self.ground.remove(order.key)

    def send(self, order: Order, who: str) -> bool:
        before = self.state(order)
        if before not in EDITABLE or not self.tries(lambda: sending.send(order.id, self.person(who), load(order.id).version)):
            return False
        ensure(not self.model.twins(order), f"CCO {order.id} was sent although it looks like another one")
        order.contributors.add(who)
        order.is_resent = True
        return True

    def edit(self, order: Order, who: str, content: Content) -> None:
        sending.edit(order.id, self.person(who), load(order.id).version, draft(order.number, content))
        order.content = content
        order.contributors.add(who)

    def retrieve(self, order: Order, who: str) -> None:
        sending.retrieve(order.id, self.person(who), load(order.id).version)
        order.was = "retrieved"

    def look(self, order: Order, who: str) -> None:
        now = load(order.id)
        self.seen[who, order.id] = now.version, signature.marks(now), self.model.shown(order)

    def correct(self, setting: str) -> None:
        """A code gets its other value."""
        value = next(one for one in CODES[setting] if one != self.model.settings[ELEMENTS[setting]])
        change(setting, value)
        self.model.settings[ELEMENTS[setting]] = value

    def hears(
        self, place: Spelled, number: Spelled, content: Content, source: str, contributors: list[str | None], act: Act
    ) -> Order | None:
        """A file or a system says something of a change order; answers it as it is now, if it is here."""
        order = self.model.named(place[0], number[0])
        state = self.state(order) if order else "draft"
        taken = self.model.is_taken_over(order, state, source, content)
        is_kept = state in EDITABLE and (taken or order is None or order.said or content == order.content or " of " not in source)
        act()
        if order is None:
            made = ChangeOrder.select().where(ChangeOrder.id.not_in(list(self.model.orders))).first()
            order = self.model.makes(made.id, place[0], number[0], content) if made else None
        if order and is_kept:
            order.said[source] = content
        if order and taken:
            order.content = content
            order.contributors |= {one for one in contributors if one}
            order.is_resent = True
        return order

    def bring(self, place: Spelled, number: Spelled, content: Content, sender: str | None, dies: int) -> None:
        """The file, by a worker that dies after so many turns; the next one completes it, or reads it again."""
        entry = Entry("line 1", draft(number[1], content), JOB, place[1])
        turns = iter(range(1, 100))

        def progress(*_: Any) -> None:
            if next(turns) == dies:
                raise Killed

        while True:
            found = import_run.prepare([entry])
            with import_run.alone() as run:
                try:
                    unfinished = run.unfinished()
                    origin = unfinished or run.stage(found, "feed.csv", "0" * 64, self.person(sender) if sender else None, progress)
                    run.complete(origin, progress)
                    return
                except Killed:
                    continue

    def tell(self, order: Order, who: str) -> None:
        """Somebody looks into Spectrum and says truthfully what is there."""
        now = load(order.id)
        export = Export.get_by_id(now.export)
        there = {line["CR_Phase_Code"] for line in self.ground.held().get(key_of(export.lines[0][1]), [])}
        uncertain = [dict(export.lines)[line]["CR_Phase_Code"] for line in exports.uncertain_lines(export)]
        if all(phase in there for phase in uncertain):
            self.decides(order, who, lambda: resolutions.mark_present(order.id, self.person(who), now.version, export.number, NOTE))
        elif self.tries(lambda: resolutions.mark_absent(order.id, self.person(who), now.version, NOTE)):
            self.model.decides(order, who)
            ensure(not self.ground.later, f"{who} could say that CCO {order.id} is not there while Spectrum was still at work on it")

    def enter(self, order: Order, number: str) -> None:
        """An administrator types all of it into Spectrum under the codes of now, in place of what is there of it."""
        now = load(order.id)
        number = number or Export.get_by_id(now.export).number
        if not self.tries(lambda: resolutions.mark_entered_manually(order.id, self.person(ADMIN), now.version, number, NOTE)):
            return
        self.model.decides(order, ADMIN)
        if order.key:
            self.ground.remove(order.key)
        order.signed = [line | self.model.settings for line in order.signed]
        for _, elements in Export.get_by_id(now.export).lines:
            typed = elements | self.model.settings | {"Change_Request_Number": number}
            self.model.enters(order, key_of(typed))
            self.ground.store(typed)

    def departs(self, export: Export, elements: Mapping[str, str]) -> None:
        order, held = self.model.orders[export.change_order_id], self.ground.held()
        ensure(self.state(order) == "exporting", f"CCO {order.id} leaves, and is {self.state(order)}")
        there = [*held.get(key_of(elements), []), *self.ground.later]
        again = any(key_of(line) == key_of(elements) and line["CR_Phase_Code"] == elements["CR_Phase_Code"] for line in there)
        ensure(not again, f"CCO {order.id} leaves once more, and is in Spectrum: {elements['CR_Phase_Code']}")
        self.model.leaves(order, elements, set(held), first=self.ground.first)


def draft(number: str, content: Content) -> sending.Draft:
    lines = [sending.LineDraft(phase, "SUB", amount) for phase, amount in zip(("16-2000", "16-2100"), content.amounts, strict=False)]
    return sending.Draft(number, content.title, "", lines)


def content_of(change_order: ChangeOrder) -> Content:
    return Content(change_order.title, tuple(line.amount for line in change_order.lines))


def commitment(place: Spelled) -> Commitment:
    found: Commitment = Commitment.get(number=place[0])
    return found


def brings_a_look_alike(model: Model, place: Spelled, number: Spelled) -> bool:
    others = ALIKE - {number[0]} if number[0] in ALIKE else ()
    return model.named(place[0], number[0]) is None and any(model.named(place[0], other) for other in others)
