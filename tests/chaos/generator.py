"""The people of a rehearsal: what each of them does with which change order is drawn from the seed, when it happens is chance."""

import queue
import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.chaos import ground
from tests.chaos.people import History, Over, Visitor

REASON = "Wrong cost type on line 1: use SUB."
PLANS = {"accept": 74, "accept twice": 4, "two at once": 4, "accept or reject": 3, "recall": 4, "reject": 8, "retrieve": 3}
RETRIES, CARE_EVERY_S, LOOK_EVERY_S = 2, 1.0, 1.5
LAST = ("accept", "accept twice", "two at once")  # plans after which nothing is left to do


def plan_for(seed: int, change_order: int) -> list[str]:
    """What becomes of a change order, step by step; the last step accepts it."""
    chance, steps = random.Random(f"{seed}/{change_order}"), list[str]()
    while not steps or steps[-1] not in LAST:
        steps += chance.choices(list(PLANS), weights=list(PLANS.values()))
    return steps


@dataclass
class Crowd:
    """Works through `ids`, as fast as `may_go_on` lets it; somebody retries what `failed` names.

    accepted  counts change orders whose last step was answered
    """

    base: str
    ids: list[int]
    seed: int
    history: History
    may_go_on: Callable[[int], bool] = lambda accepted: True
    failed: Callable[[], list[int]] = list
    over: threading.Event = field(default_factory=threading.Event)
    accepted: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    faults: list[BaseException] = field(default_factory=list)

    def start(self, approvers: int = 4) -> None:
        self._waiting: queue.Queue[tuple[int, list[str]]] = queue.Queue()
        for id in self.ids:
            self._waiting.put((id, plan_for(self.seed, id)))
        self._lock, self._desk = threading.Lock(), threading.Lock()
        self._dee = self._visitor(ground.SENDER)
        names = [ground.APPROVERS[index % len(ground.APPROVERS)] for index in range(approvers)]
        self._threads = [
            threading.Thread(target=self.guarded, args=(self._work, index, name), name=name) for index, name in enumerate(names)
        ]
        self._carer = threading.Thread(target=self.guarded, args=(self._care,), name="carer")
        self._reader = threading.Thread(target=self.guarded, args=(self._read,), name="reader")
        for thread in (*self._threads, self._carer, self._reader):
            thread.start()

    def done(self) -> bool:
        return not any(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        self.over.set()
        for thread in (*self._threads, self._carer, self._reader):
            thread.join()

    def guarded(self, work: Callable[..., None], *arguments: object) -> None:
        """For a thread: what goes wrong in it goes into `faults`, for whoever waits for it."""
        try:
            work(*arguments)
        except Over:
            return
        except BaseException as fault:
            self.faults.append(fault)
            raise

    def _work(self, index: int, name: str) -> None:
        me, other = (self._visitor(one) for one in (name, ground.APPROVERS[(index + 1) % len(ground.APPROVERS)]))
        while not self.over.is_set() and self.accepted < len(self.ids):
            while not self.may_go_on(self.accepted):
                me.wait()
            try:
                id, steps = self._waiting.get(timeout=0.2)
            except queue.Empty:
                continue
            self._step(id, steps, me, other)

    def _care(self) -> None:
        """An administrator looks after what failed, a few times each."""
        ada, tries = self._visitor(ground.ADMIN), Counter[int]()
        while not self.over.wait(CARE_EVERY_S):
            for id in [id for id in self.failed() if tries[id] < RETRIES]:
                tries[id] += 1
                if form := ada.form(f"/change-orders/{id}"):
                    self._count("retry", ada.press("retry", id, f"/change-orders/{id}/retry", version=form["version"]))

    def _read(self) -> None:
        """Somebody who only looks: as long as there is a web server, no fault may take the lists away."""
        ben = self._visitor(ground.READER)
        while not self.over.wait(LOOK_EVERY_S):
            for view in ("ready", "failed"):
                if (answer := ben.look(f"/change-orders?view={view}")) is not None:
                    self._count("look", answer)

    def _visitor(self, name: str) -> Visitor:
        return Visitor(self.base, name, self.history, self.over)

    def _step(self, id: int, steps: list[str], me: Visitor, other: Visitor) -> None:
        STEPS[steps[0]](self, id, me, other)
        if len(steps) == 1:
            with self._lock:
                self.accepted += 1
            return
        self._send_again(id)
        self._waiting.put((id, steps[1:]))

    def _send_again(self, id: int) -> None:
        """A change order that came back to the project is sent again; one that is ready (recalled) stays where it is."""
        self._as_dee("send", id, f"/change-orders/{id}/sending")

    def _as_dee(self, do: str, id: int, path: str) -> None:
        """The sender has one desk, and does one thing at a time."""
        with self._desk:
            if form := self._dee.form(f"/change-orders/{id}/edit"):
                self._count(do, self._dee.press(do, id, path, version=form["version"]))

    def accept(self, id: int, me: Visitor, times: int = 1) -> str:
        """The version that was accepted; empty when the change order did not wait for a decision any more."""
        form = me.form(f"/change-orders/{id}/acceptance")
        if form is None:
            return ""
        for _ in range(times):
            self._count("accept", me.press("accept", id, f"/change-orders/{id}/acceptance", **form))
        return form["version"]

    def both(self, first: Callable[[], object], second: Callable[[], object]) -> None:
        """As nearly at the same moment as can be."""
        barrier, over = threading.Barrier(2), list[BaseException]()

        def run(what: Callable[[], object]) -> None:
            barrier.wait()
            try:
                what()
            except Over as end:
                over.append(end)

        threads = [threading.Thread(target=run, args=(what,)) for what in (first, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if over:
            raise Over

    def two_at_once(self, id: int, me: Visitor, other: Visitor) -> None:
        self.both(lambda: self.accept(id, me), lambda: self.accept(id, other))

    def accept_or_reject(self, id: int, me: Visitor, other: Visitor) -> None:
        self.both(lambda: self.accept(id, me), lambda: self.reject(id, other))

    def recall(self, id: int, me: Visitor) -> None:
        if version := self.accept(id, me):
            self._count("recall", me.press("recall", id, f"/change-orders/{id}/recall", version=str(int(version) + 1)))

    def reject(self, id: int, me: Visitor) -> None:
        if form := me.form(f"/change-orders/{id}/rejection"):
            form.pop("number", None)
            self._count("reject", me.press("reject", id, f"/change-orders/{id}/rejection", reason=REASON, **form))

    def retrieve(self, id: int, me: Visitor) -> None:
        """The sender takes it back from accounting; who that is does not matter here, but it is never an approver."""
        self._as_dee("retrieve", id, f"/change-orders/{id}/retrieval")

    def _count(self, do: str, status: int) -> None:
        with self._lock:
            self.answers[f"{do} {status}"] += 1


STEPS: dict[str, Callable[[Crowd, int, Visitor, Visitor], object]] = {
    "accept": lambda crowd, id, me, other: crowd.accept(id, me),
    "accept twice": lambda crowd, id, me, other: crowd.accept(id, me, times=2),
    "two at once": Crowd.two_at_once,
    "accept or reject": Crowd.accept_or_reject,
    "recall": lambda crowd, id, me, other: crowd.recall(id, me),
    "reject": lambda crowd, id, me, other: crowd.reject(id, me),
    "retrieve": lambda crowd, id, me, other: crowd.retrieve(id, me),
}
