"""A small portal for one test: real database, real Spectrum, real steps, and a test that decides when which worker dies.

What it leaves behind has the form of a rehearsal's evidence, so that the checker can be tried on it.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

from portal import mail
from portal.background import tasks
from portal.domain import outbox
from portal.domain.change_orders import ChangeOrder, Overtaken, load
from portal.domain.exporting import send
from portal.domain.lanes import MAIL, Lane, Lost
from portal.domain.outbox import Dispatch
from portal.domain.people import NotPermitted, User
from portal.domain.projects import sending
from portal.domain.recovery import resolutions
from portal.domain.review import decisions, signature
from portal.domain.rules.findings import Blocked
from portal.spectrum.client import Spectrum
from portal.spectrum.infolink import simulated
from portal.spectrum.records import KEYS, NotSent, OutcomeUnknown, Receipt, Refused, Stored
from portal.standalone.mail_catcher import Mailbox
from tests.chaos.checker import Evidence, Violation, check
from tests.conftest import Clock
from tests.spectrum.process import SimulatorProcess

AUTHORIZATION_ID = "PORTALTEST"
LANE = "exports:1"
LEASE_S = 131  # no worker holds a lane for longer
ROUNDS = 30  # of work until everything rests, at most
TWO = (("16-2000", "SUB", "4250.00"), ("03-3000", "SUB", "-250.00"))
BUTTONS: dict[str, ModuleType] = {
    **dict.fromkeys(("accept", "reject", "recall"), decisions),
    **dict.fromkeys(("send", "retrieve", "void"), sending),
    **dict.fromkeys(("retry", "say present", "say absent", "by hand", "unlink"), resolutions),
}
CALLED = {"say present": "mark_present", "say absent": "mark_absent", "by hand": "mark_entered_manually"}  # where not as the history has it
OUTCOMES: dict[type[Exception], str] = {NotSent: "not sent", Refused: "refused", OutcomeUnknown: "unknown"}


class Killed(BaseException):
    """What a test does to a worker."""


class Office:
    """`points`: what happens when a worker next passes a fail-point; `after_answer`: when one has Spectrum's next answer.

    reads_back  whether Info-Link is configured
    make        the fixture `make_change_order`
    """

    def __init__(
        self,
        folder: Path,
        database_url: str,
        simulator: SimulatorProcess,
        clock: Clock,
        wsdl: Path,
        app: Any,
        make: Callable[..., ChangeOrder],
    ) -> None:
        self.folder, self.database_url, self.simulator, self.clock, self.app, self.make = folder, database_url, simulator, clock, app, make
        self.erp = Spectrum(simulator.url, AUTHORIZATION_ID, wsdl, connect_s=5, deadline_s=5)
        self.link = simulated(simulator.data / "spectrum.db")
        self.mailbox = Mailbox(folder)
        self.points: dict[str, Callable[[], object]] = {}
        self.after_answer: Callable[[], object] | None = None
        self.reads_back = True
        self._presses = 0

    # People

    def press(self, do: str, by: User, change_order: ChangeOrder, **words: Any) -> None:
        """Somebody presses a button on the page they see, `change_order` as it was then, and is told what became of it."""
        self._presses += 1
        facts = {"id": self._presses, "person": by.email, "do": do, "change_order": change_order.id, "version": change_order.version}
        self._note("history.jsonl", **facts, event="invoke")
        if do == "accept":
            words = {"seen": signature.marks(change_order)} | words
        try:
            getattr(BUTTONS[do], CALLED.get(do, do))(change_order.id, by, change_order.version, **words)
        except (Overtaken, NotPermitted, Blocked) as error:
            self._note("history.jsonl", **facts, event="fail", status=409, said=str(error))
        else:
            self._note("history.jsonl", **facts, event="ok", status=200)

    def accepted(self, by: User, **wanted: Any) -> ChangeOrder:
        """A change order whose export is due."""
        change_order = self.make(**wanted)
        self.press("accept", by, change_order)
        return change_order

    # Workers

    def work(self) -> None:
        """One worker's turn on the lane, which it may not survive; then the lane is free only when its lease is over."""
        claim = Lane.take(LANE, tasks.LEASE)
        if claim is None:
            return
        with suppress(Killed, Lost):
            for dispatch in outbox.due(LANE, timedelta(minutes=1)):
                send.step(dispatch, claim, self._call, self._read if self.reads_back else None)
            Lane.release(LANE, claim)

    def deliver(self) -> None:
        """One turn of the mail worker."""
        with suppress(Killed), self.app.app_context(), mock.patch.object(mail, "send", self._post):
            tasks.drain(MAIL)

    def rest(self) -> None:
        """Time passes and others go on, until nothing is left to do."""
        for _ in range(ROUNDS):
            self.clock.tick(seconds=LEASE_S)
            waiting = [dispatch.due_at for dispatch in Dispatch.select().where(Dispatch.finished_at.is_null())]
            if not waiting:
                return
            self.clock.set(max(self.clock.moment, min(waiting)))
            self.work()
            self.deliver()

    def another_works(self) -> None:
        """The worker that is at it now stands still for longer than its lease, and another takes over."""
        self.clock.tick(seconds=LEASE_S)
        self.work()

    def kill_at(self, point: str) -> None:
        self.points[point] = self.kill

    def kill(self) -> None:
        raise Killed

    def reach(self, point: str) -> None:
        """In place of the rehearsal's fail-points."""
        if point in self.points:
            self.points.pop(point)()

    def _call(self, elements: Mapping[str, str], guid: str) -> Receipt:
        outcome = "sent"
        try:
            return self.erp.change_request(elements, guid)
        except (NotSent, Refused, OutcomeUnknown) as error:
            outcome = OUTCOMES[type(error)]
            raise
        finally:
            if hook := self.after_answer:
                self.after_answer = None
                hook()
            self._note("answers.jsonl", guid=guid, phase=elements["CR_Phase_Code"], outcome=outcome)

    def _read(self, elements: Mapping[str, str]) -> Stored | None:
        return self.link.look(*(elements[name] for name in KEYS))

    def _post(self, settings: Any, message: Any) -> None:
        self.mailbox.add(settings.MAIL_SENDER, [one.addr_spec for one in message["To"].addresses], message.as_bytes())

    # What is left behind

    @property
    def evidence(self) -> Evidence:
        return Evidence(self.folder, self.database_url, secrets=(AUTHORIZATION_ID,), simulator=self.simulator.data, still=True)

    def violations(self) -> list[Violation]:
        return check(self.evidence)

    def _note(self, file: str, **facts: Any) -> None:
        with (self.folder / file).open("a", encoding="utf-8") as out:
            out.write(json.dumps({"at": self.clock.moment.timestamp(), **facts}) + "\n")


def as_seen(change_order: ChangeOrder) -> ChangeOrder:
    """The page, loaded again."""
    return load(change_order.id)
