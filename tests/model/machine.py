"""The state machine: users, files, systems, administrators, workers and the clock, in any order, over the portal's own domain."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from portal.domain import events, waiting
from portal.domain.change_orders import ChangeOrder, load
from portal.domain.commitments import Commitment
from portal.domain.exporting.exports import Export
from portal.domain.projects import confirm_distinct, delivery, sending
from portal.domain.projects.statements import COMMAND
from portal.domain.recovery import resolutions, second_review
from portal.domain.review import decisions, holds, questions
from portal.domain.rules import duplicates
from portal.domain.wording import Wording
from tests.model.desk import Desk, Spelled, brings_a_look_alike, commitment, draft
from tests.model.ground import ADMIN, ANSWERS, APPROVERS, CODES, POINTS, WRITERS
from tests.model.model import EDITABLE, JOB, NUMBERS, PLACES, UNSEEN, Broken, Content, Order, ensure, key_of, says

PASSED = [{"seconds": 31}, {"seconds": 150}, {"minutes": 16}, {"hours": 2}, {"hours": 25}]
TITLES = ("Duct bank", "Conduit")

places = st.sampled_from([(place, spelling) for place, spellings in PLACES.items() for spelling in spellings])
numbers = st.sampled_from([(number, spelling) for number, spellings in NUMBERS.items() for spelling in spellings])
contents = st.builds(Content, st.sampled_from(TITLES), st.sampled_from([(Decimal(100),), (Decimal(250), Decimal(-40))]))
writers, approvers, settings = st.sampled_from(WRITERS), st.sampled_from(APPROVERS), st.sampled_from(list(CODES))
typed, spots = st.sampled_from(["X-1", ""]), st.integers(0, 5)


def some(*states: str):  # type: ignore[no-untyped-def] -- Hypothesis's own decorator
    """The rule needs a change order in one of these states."""
    return precondition(lambda self: self.those(*states))


class Machine(Desk):
    # What the project does

    @initialize(title=st.sampled_from(TITLES), who=writers, number=st.none() | typed)
    def begins(self, title: str, who: str, number: str | None) -> None:
        """Two change orders wait in accounting, one of them perhaps for the worker: there is something to decide from the first step on."""
        for place, cco in (("SC-014", "001"), ("SC-015", "C-2")):
            self.writes((place, place), (cco, cco), Content(title, (Decimal(100),)), who, goes=True)
        if number is not None:
            self.accept(self.model.orders[1], "Lee", number, afresh=True)

    @rule(place=places, number=numbers | st.just(("001", UNSEEN)), content=contents, who=writers, goes=st.booleans())
    def writes(self, place: Spelled, number: Spelled, content: Content, who: str, goes: bool) -> None:
        """On the form, and mostly at once to accounting."""
        made = self.tries(lambda: sending.begin(commitment(place), self.person(who), draft(number[1], content)))
        ensure(number[1] != UNSEEN or not made, "A CCO number with something invisible in it was taken")
        if made:
            order = self.model.makes(made.id, place[0], number[0], content)
            order.contributors.add(who)
            if goes:
                self.send(order, who)

    @some(*EDITABLE)
    @rule(spot=spots, content=st.none() | contents, who=writers, goes=st.booleans())
    def corrects(self, spot: int, content: Content | None, who: str, goes: bool) -> None:
        """Or sends it again as it is."""
        order, _ = self.pick(spot, *EDITABLE)
        if content:
            self.edit(order, who, content)
        if goes or not content:
            self.send(order, who)

    @some("ready")
    @rule(spot=spots, who=writers, content=st.none() | contents, again=st.none() | writers)
    def retrieves(self, spot: int, who: str, content: Content | None, again: str | None) -> None:
        """Perhaps to correct and send it; and perhaps `again` has it back after that, and sends it once more as it is.

        Who corrected it presses Export then.
        """
        order = self.pick(spot, "ready")[0]
        self.retrieve(order, who)
        if content:
            self.edit(order, who, content)
        if again and self.send(order, who):
            self.retrieve(order, again)
            if self.send(order, again) and who in APPROVERS:
                self.accept(order, who, "", afresh=True)

    @some(*EDITABLE)
    @rule(spot=spots, who=writers)
    def says_that_they_are_two(self, spot: int, who: str) -> None:
        order, _ = self.pick(spot, *EDITABLE)
        for one in duplicates.of_one(load(order.id)):
            if one.kind == duplicates.CHANGE_ORDER:
                confirm_distinct.tell_apart(order.id, self.person(who), one.kind, one.other_id)
                self.model.say_apart(order.id, one.other_id, who)

    # What files and systems bring

    @rule(place=places, number=numbers, content=contents, sender=st.none() | writers, dies=st.integers(0, 4))
    def imports(self, place: Spelled, number: Spelled, content: Content, sender: str | None, dies: int) -> None:
        """The scheduled file. Look-alikes are not ticked, so that none is made."""
        if brings_a_look_alike(self.model, place, number):
            before = ChangeOrder.select().count()
            self.bring(place, number, content, sender, dies)
            ensure(ChangeOrder.select().count() == before, "A file brought a look-alike that nobody had ticked")
            return
        known = self.model.named(place[0], number[0])
        waits = known is None or self.state(known) == "draft"
        order = self.hears(place, number, content, COMMAND, [sender], lambda: self.bring(place, number, content, sender, dies))
        if sender and order and self.state(order) == "ready" and (waits or order.is_resent):
            order.contributors.add(sender)

    @rule(place=places, number=numbers, content=contents, who=writers, maker=approvers, goes=st.booleans())
    def delivers(self, place: Spelled, number: Spelled, content: Content, who: str, maker: str, goes: bool) -> None:
        """A system, by an access token that `maker` made for `who`."""

        def put() -> None:
            try:
                self.tries(lambda: delivery.put(JOB, place[1], draft(number[1], content), self.person(who)))
            except Commitment.DoesNotExist:
                raise Broken(f"Commitment {place[0]} is not known as {place[1]}") from None

        with events.by_token("erp", self.person(maker).id):
            order = self.hears(place, number, content, f"system of {who}", [who, maker], put)
            if goes and order and order.content == content and self.send(order, who):
                order.contributors.add(maker)

    # What accounting does

    @some("ready")
    @rule(spot=spots, who=approvers, setting=st.none() | settings)
    def looks(self, spot: int, who: str, setting: str | None) -> None:
        """The form is open, and stays so; or a code is corrected before they press Export."""
        order = self.pick(spot, "ready")[0]
        self.look(order, who)
        if setting:
            self.correct(setting)
            self.accept(order, who, "", afresh=False)

    @some("ready")
    @rule(spot=spots, who=approvers, number=typed, afresh=st.sampled_from([True, True, False]))
    def accepts(self, spot: int, who: str, number: str, afresh: bool) -> None:
        self.accept(self.pick(spot, "ready")[0], who, number, afresh=afresh)

    def accept(self, order: Order, who: str, number: str, *, afresh: bool) -> None:
        if afresh or (who, order.id) not in self.seen:
            self.look(order, who)
        version, marks, lines = self.seen[who, order.id]
        if self.tries(lambda: decisions.accept(order.id, self.person(who), version, marks, Wording(number), removed=who == ADMIN)):
            self.model.decides(order, who)
            order.signed = lines
            frozen = Export.get_by_id(load(order.id).export)
            exact = len(lines) == len(frozen.lines) and all(says(one, line) for (_, one), line in zip(frozen.lines, lines, strict=True))
            otherwise = {name: (value, frozen.lines[0][1][name]) for name, value in lines[0].items() if frozen.lines[0][1][name] != value}
            ensure(exact, f"{who} signed CCO {order.id}, and something else was frozen: {otherwise or frozen.lines}")
            self.model.enters(order, key_of(frozen.lines[0][1]))
            ensure(number in ("", frozen.number), f"{who} typed {number}, and what was frozen is {frozen.number}")

    @some("ready", "failed")
    @rule(spot=spots, who=approvers)
    def rejects(self, spot: int, who: str) -> None:
        order, now = self.pick(spot, "ready", "failed")
        self.decides(order, who, lambda: decisions.reject(order.id, self.person(who), now.version, "Wrong.", removed=True), undoes=True)

    @some("ready")
    @rule(spot=spots, who=approvers, days=st.integers(0, 2), answers=st.none() | writers)
    def asks_or_holds(self, spot: int, who: str, days: int, answers: str | None) -> None:
        """A question, which may be answered at once, or a hold; neither keeps who did it from deciding."""
        order, now = self.pick(spot, "ready")
        if days:
            until = waiting.today(load(order.id).company) + timedelta(days=days)
            self.tries(lambda: holds.hold(order.id, self.person(who), now.version, until, "The owner signs first."))
        else:
            self.tries(lambda: questions.ask(order.id, self.person(who), now.version, "What is in it?"))
        asked = questions.latest(now)
        if answers and asked and self.tries(lambda: questions.answer(order.id, self.person(answers), asked.seq, "Two fittings.")):
            order.contributors.add(answers)

    @some("queued")
    @rule(spot=spots, who=approvers)
    def recalls(self, spot: int, who: str) -> None:
        order, now = self.pick(spot, "queued")
        if self.tries(lambda: decisions.recall(order.id, self.person(who), now.version)):
            order.signed = []

    @some("queued")
    @rule(spot=spots, who=approvers, setting=st.sampled_from(["code", "customer"]))
    def thinks_better_of_it(self, spot: int, who: str, setting: str) -> None:
        """Recalled, since a code of Spectrum's own key was wrong; that is corrected, and it is accepted anew. Then its number is typed
        for another one."""
        order, now = self.pick(spot, "queued")
        if self.tries(lambda: decisions.recall(order.id, self.person(ADMIN), now.version)):
            order.signed = []
            self.correct(setting)
            self.accept(order, who, "", afresh=True)
            for other, _ in self.those("ready")[:1]:
                self.accept(other, who, order.key[3] if order.key else "", afresh=True)

    @some("failed")
    @rule(spot=spots, who=approvers, how=st.sampled_from([resolutions.retry, second_review.review_again, None]), number=typed)
    def resolves(self, spot: int, who: str, how: Callable[..., ChangeOrder] | None, number: str) -> None:
        """Retry, Review again, or entered by hand."""
        order, now = self.pick(spot, "failed")
        if how:
            self.decides(order, who, lambda: how(order.id, self.person(who), now.version))
        else:
            self.enter(order, number)

    @some("unknown")
    @rule(spot=spots, who=approvers)
    def says_what_spectrum_shows(self, spot: int, who: str) -> None:
        self.tell(self.pick(spot, "unknown")[0], who)

    @some("exported")
    @rule(spot=spots)
    def unlinks(self, spot: int) -> None:
        order, now = self.pick(spot, "exported")
        number = order.key[3] if order.key else ""
        self.decides(order, ADMIN, lambda: resolutions.unlink(order.id, self.person(ADMIN), now.version, number), undoes=True)

    # What happens around them

    @rule(setting=settings)
    def changes_a_code(self, setting: str) -> None:
        self.correct(setting)

    @rule(passed=st.sampled_from(PASSED))
    def waits(self, passed: dict[str, float]) -> None:
        self.ground.tick(**passed)

    @rule(plan=st.lists(st.sampled_from(ANSWERS), max_size=3), dies_at=st.sampled_from(["", "", *POINTS]))
    def works(self, plan: list[str], dies_at: str) -> None:
        self.ground.work(plan, dies_at)
