"""What an import does with one change order: put it in place, judge it, send it, and write down what became of it."""

from collections.abc import Sequence
from enum import StrEnum
from functools import cached_property
from typing import Any

import peewee

from portal import clock
from portal.db import Model, UtcField
from portal.domain import change_orders, commitments, events
from portal.domain.accounts import rights
from portal.domain.change_orders import ChangeOrder, Overtaken
from portal.domain.commitments import Commitment, Job
from portal.domain.imports import entries, mangled_codes, matching
from portal.domain.imports.entries import Entry
from portal.domain.imports.uploads import Upload, bringers
from portal.domain.imports.vendors import Unclear
from portal.domain.people import Membership, NotPermitted, User
from portal.domain.projects import confirm_distinct, sending, statements
from portal.domain.projects.statements import SENT_BACK, News
from portal.domain.rules import checks, contributors, findings
from portal.domain.rules.findings import Blocked, blocking

UNTICKED = "If it is another one, upload the file on the page Imports and tick it there."
STAYS = {
    News.OLD: "{}: the file says what it said before, and what was corrected here since stays.",
    News.UNKNOWN: "{}, and what a file said of it before is not known: it stays as it is here. The next change in the file is taken over.",
}


class RowOutcome(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    LEFT = "left alone"


class Import(Model):
    """One file.

    size           change orders in it
    upload         the file as a person handed it in; null: it came by the command line
    sender         who sends them to accounting; null: they stay drafts
    confirmed_at   from here on it will be completed
    """

    file = peewee.CharField(max_length=255)
    sha256 = peewee.CharField(max_length=64)
    size = peewee.IntegerField()
    sender = peewee.ForeignKeyField(User, null=True, on_delete="RESTRICT", backref="+")
    started_at = UtcField(default=clock.now)
    confirmed_at = UtcField(null=True)
    finished_at = UtcField(null=True)
    upload = peewee.ForeignKeyField(Upload, null=True, on_delete="RESTRICT", backref="+")

    @property
    def source(self) -> str:
        """Where the file came from, for telling what is news in it."""
        return statements.PAGE if self.upload else statements.COMMAND

    @property
    def writer(self) -> User | None:
        """Who wrote what is in it, as four eyes see it."""
        by: User | None = self.sender or (self.upload.by if self.upload else None)
        return by

    @cached_property
    def bringers(self) -> list[int | None]:
        """Who else had a hand in what comes of it."""
        return bringers(self.__data__.get("upload"))


class Staged(Model):
    """One change order of an import: its content as JSON, and what became of it. Rows go when the import is complete."""

    origin = peewee.ForeignKeyField(Import, on_delete="RESTRICT", backref="rows")
    position = peewee.IntegerField()
    content = peewee.TextField()
    outcome = peewee.CharField(null=True)
    change_order = peewee.IntegerField(null=True)
    sent = peewee.BooleanField(null=True)
    note = peewee.TextField(default="")

    class Meta:
        indexes = ((("origin", "position"), True),)


class ImportResult(Model):
    """What an import did with one change order. It stays when the staged rows go, so that the import leads to what it made."""

    origin = peewee.ForeignKeyField(Import, on_delete="RESTRICT", backref="+")
    change_order = peewee.ForeignKeyField(ChangeOrder, on_delete="RESTRICT", backref="+")
    outcome = peewee.CharField(max_length=20)

    class Meta:
        indexes = ((("origin", "change_order"), True),)


def rows_of(origin: Import) -> Any:
    """The staged change orders of the import, in the file's order."""
    return Staged.select().where(Staged.origin == origin).order_by(Staged.position)


def write(origin: Import, batch: Sequence[tuple[int, Entry]]) -> None:
    """Write some change orders of the file down, each with its place."""
    rows = [(origin.id, position, entries.dump(entry)) for position, entry in batch]
    Staged.insert_many(rows, [Staged.origin, Staged.position, Staged.content]).execute()


def ids_of(origin: Import, condition: Any) -> list[int]:
    """Which rows of the import these are, in the file's order; what is in all of them at once would not be small."""
    return [row.id for row in Staged.select(Staged.id).where(Staged.origin == origin, condition).order_by(Staged.position)]


def put(row: Staged, master_data: matching.MasterData, origin: Import) -> None:
    """New, changed, unchanged or left alone: one change order of the file, in the turn's transaction.

    The commitment is held, as by everyone who makes a change order of it: a system that delivers the same number at the same
    moment comes before or after, and finds what is there.
    """
    entry = entries.load(row.content)
    likeness, made = master_data.resembling.of(entry), mangled_codes.of(entry, master_data, origin.source)
    if (likeness or made) and not entry.is_ticked:
        row.outcome, row.note = RowOutcome.LEFT, " ".join(filter(None, (likeness, made, UNTICKED if likeness else mangled_codes.UNSAID)))
        row.save(only=[Staged.outcome, Staged.note])
        return
    try:
        commitment = master_data.commitment(entry)
    except Unclear as error:  # only where someone changed a vendor since the file was checked
        row.outcome, row.note = RowOutcome.LEFT, str(error)
        row.save(only=[Staged.outcome, Staged.note])
        return
    commitments.hold(commitment)
    master_data.resembling.add(entry)
    known = ChangeOrder.meant(entry.draft.number, commitment=commitment)
    if known is None:
        here = sending.create(commitment, origin.writer, entry.draft, file=origin.file)
        row.change_order, row.outcome = here.id, RowOutcome.NEW
        if entry.is_ticked:
            confirm_distinct.tell_apart_all(change_orders.load(here.id), origin.writer)
    else:
        row.change_order, here = known.id, change_orders.load(known.id)
        row.outcome, row.note = compare(here, entry, origin.source)
        if row.outcome == RowOutcome.CHANGED:
            try:
                sending.revise(here, origin.writer, here.version, sending.as_spelled(entry.draft, here), file=origin.file)
            except Overtaken:  # only where writers are not queued, as they are on SQLite
                row.outcome, row.note, here = RowOutcome.LEFT, here.label, change_orders.load(known.id)
    if row.outcome in (RowOutcome.NEW, RowOutcome.CHANGED):
        contributors.record(here.id, origin.bringers, contributors.FILE)
    if known is None:
        statements.begin(here, origin.source)
    elif here.is_editable:  # what accounting has is checked again when it comes back
        statements.keep(here, entry.draft, origin.source)
    # Two spellings in the file may mean the same one: the first counts.
    ImportResult.insert(origin=origin, change_order=here.id, outcome=row.outcome).on_conflict_ignore().execute()
    row.save(only=[Staged.outcome, Staged.change_order, Staged.note])


def compare(here: ChangeOrder, entry: Entry, source: str) -> tuple[RowOutcome, str]:
    """What the file does with it, and why where that is nothing: only what the source has not said before replaces what stands here."""
    if not here.is_editable:
        return RowOutcome.LEFT, here.label
    news = statements.weigh(here, entry.draft, source)
    if news in STAYS:
        return RowOutcome.LEFT, STAYS[news].format(here.label)
    return RowOutcome.UNCHANGED if news is News.NONE else RowOutcome.CHANGED, ""


def why_not(here: ChangeOrder, entry: Entry, outcome: RowOutcome) -> str:
    """Why the change order would not be sent as the file states it, or an empty text."""
    if outcome is RowOutcome.UNCHANGED and here.state in SENT_BACK:
        return unchanged(here)
    sending.fill(here, entry.draft)
    return " ".join(str(finding) for finding in blocking(checks.at_send(here)))


def judge(id: int) -> None:
    """Keep the verdict of a change order whose codes were filled in."""
    here = change_orders.load(id)
    verdict = findings.verdict(checks.at_send(here))
    ChangeOrder.update(checks=verdict).where(ChangeOrder.id == id, ChangeOrder.version == here.version).execute()


def jobs_of(origin: Import) -> list[Job]:
    """The jobs whose change orders the import may send."""
    theirs = Staged.select(Staged.change_order).where(Staged.origin == origin, Staged.outcome != RowOutcome.LEFT)
    return list(Job.select().join(Commitment).join(ChangeOrder).where(ChangeOrder.id.in_(theirs)).distinct().order_by(Job.number))


def join(job: Job, sender: User, joined: list[str]) -> None:
    """Make the sender a member of the job, for only members send."""
    if not sender.is_member_of(job):
        Membership.create(user=sender, job=job)
        events.record(rights.SUBJECT, sender.id, rights.JOINED, None, job=job.number)
        joined.append(job.number)


def send(row: Staged, sender: User) -> None:
    """To accounting, if nothing blocks it. What was sent back goes again only with a change."""
    here: ChangeOrder = ChangeOrder.select(ChangeOrder.version, ChangeOrder.status).where(ChangeOrder.id == row.change_order).get()
    if row.outcome == RowOutcome.UNCHANGED and here.state in SENT_BACK:
        row.sent, row.note = False, unchanged(here)
    else:
        try:
            sending.send(row.change_order or 0, sender, here.version)
            row.sent = True
        except (Blocked, NotPermitted, Overtaken) as error:
            row.sent, row.note = False, str(error)
    row.save(only=[Staged.sent, Staged.note])


def name_of(entry: Entry) -> str:
    return f"Job {entry.job_number}, {entry.commitment_number}, CCO {entry.draft.number}"


def unchanged(here: ChangeOrder) -> str:
    """Why what was sent back does not go again as it is."""
    return f"{here.label} before, and nothing has changed since."
