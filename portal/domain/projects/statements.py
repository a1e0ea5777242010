"""What a file or a system last said of each change order. Only news replaces what stands here: what was corrected meanwhile stays."""

import json
from enum import StrEnum
from typing import Any

import peewee

from portal import clock
from portal.db import Model, UtcField
from portal.domain.change_orders import ChangeOrder, Status
from portal.domain.people import User
from portal.domain.projects import revisions, sending
from portal.domain.projects.sending import Draft

SENT_BACK = (Status.REJECTED, Status.RETRIEVED)
COMMAND, PAGE = "command line", "page"  # where files come from


class News(StrEnum):
    """What a statement is beside what stands here and what the same source said last."""

    NONE = "as it stands here"
    FRESH = "news"
    OLD = "said before"
    UNKNOWN = "nothing is known of what was said before"


class Statement(Model):
    """What one source last said of a change order.

    source    `command line`, `page`, or the person for whom a system acts
    content   the words and lines it stated, without the number, and the approval on the project, as JSON
    """

    change_order = peewee.ForeignKeyField(ChangeOrder, on_delete="RESTRICT", backref="+")
    source = peewee.CharField(max_length=40)
    content = peewee.TextField()
    at = UtcField(default=clock.now)

    class Meta:
        indexes = ((("change_order", "source"), True),)


def system(by: User) -> str:
    """The source that a system is, whatever its token of the day."""
    return f"system of user {by.id}"


def weigh(here: ChangeOrder, draft: Draft, source: str) -> News:
    """What the draft of that source is. A draft that never left may be replaced by whom no one has heard yet, what came back may not."""
    said = _stated(here, draft)
    if said == _content(here):
        return News.NONE
    heard = {one.source: _whole(json.loads(one.content)) for one in Statement.select().where(Statement.change_order == here.id)}
    if not heard:
        return News.UNKNOWN if here.state in SENT_BACK else News.FRESH
    last = [heard[source]] if source in heard else heard.values()  # who says it for the first time may repeat another
    return News.OLD if said in last else News.FRESH


def begin(made: ChangeOrder, source: str) -> None:
    """Remember what the source said of a change order that was made of just that, in the caller's transaction."""
    Statement.create(change_order=made, source=source, content=_dump(_content(made)))


def keep(here: ChangeOrder, draft: Draft, source: str) -> None:
    """Remember what the source said, in the caller's transaction; nothing is written where it says the same again."""
    content, last = _dump(_stated(here, draft)), _last(here, source)
    if last is None:
        Statement.create(change_order=here, source=source, content=content)
    elif last.content != content:
        Statement.update(content=content, at=clock.now()).where(Statement.id == last.id).execute()


def _dump(content: dict[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, ensure_ascii=False)


def _last(here: ChangeOrder, source: str) -> Statement | None:
    found: Statement | None = Statement.get_or_none(Statement.change_order == here.id, Statement.source == source)
    return found


def _stated(here: ChangeOrder, draft: Draft) -> dict[str, Any]:
    wanted = ChangeOrder(commitment=here.commitment, project_status=here.project_status)
    sending.fill(wanted, sending.as_spelled(draft, here))
    return _content(wanted)


def _content(change_order: ChangeOrder) -> dict[str, Any]:
    return _whole({"snapshot": revisions.snapshot(change_order), "project_status": change_order.project_status})


def _whole(content: dict[str, Any]) -> dict[str, Any]:
    """With all that a present one has, and no more: an upgrade is no news, nor is another spelling of the number."""
    snapshot = revisions.whole(content["snapshot"])
    return content | {"snapshot": {name: value for name, value in snapshot.items() if name != "number"}}
