"""The addresses under /api/v1: list, show, create or replace, send and retrieve change orders."""

import json
from collections.abc import Callable

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from pydantic import BaseModel

from portal import url_ids
from portal.api import bearer, openapi, parsing, problems, rendering, schemas
from portal.api.problems import Refused
from portal.domain import change_orders, events
from portal.domain.accounts import idempotency
from portal.domain.accounts.idempotency import Answer, OtherRequest
from portal.domain.change_orders import ChangeOrder, Overtaken
from portal.domain.commitments import Commitment
from portal.domain.people import User
from portal.domain.projects import delivery, revisions, sending
from portal.domain.projects.delivery import CameBack, Wanted
from portal.domain.rules import recheck
from portal.domain.rules.findings import Blocked

bp = Blueprint("api", __name__, url_prefix="/api/v1")
bp.record(url_ids.register)
BY_NUMBER = "/jobs/<job>/commitments/<commitment>/change-orders/<number>"
NO_COMMITMENT = "There is no commitment {commitment} on a job {job} here. Import it first, or correct the numbers."


@bp.get("/change-orders")
def index() -> ResponseReturnValue:
    """The change orders that the person for whom the token acts may see, page by page."""
    asked = parsing.parameters()
    wanted = Wanted(tuple(asked.status), asked.job, asked.commitment, asked.number, int(asked.after or 0))
    found, more = delivery.listed(wanted, me(), asked.limit)
    return shown(schemas.Page(change_orders=rendering.listed(found), next=str(found[-1].id) if more else None))


@bp.get("/change-orders/<key:id>")
def show(id: int) -> ResponseReturnValue:
    return shown(rendering.full(delivery.visible(id, me())))


@bp.get(BY_NUMBER)
def show_by_number(job: str, commitment: str, number: str) -> ResponseReturnValue:
    return shown(rendering.full(delivery.named(**parsing.numbers(job=job, commitment=commitment, number=number), viewer=me())))


@bp.put(BY_NUMBER)
def put(job: str, commitment: str, number: str) -> ResponseReturnValue:
    """Create or replace; what is ready or further is never touched."""
    wanted, change = parsing.numbers(job=job, commitment=commitment, number=number), parsing.body(schemas.Change)

    def do() -> tuple[int, ChangeOrder]:
        draft = change.draft(wanted["number"])
        try:
            written, is_new = delivery.put(wanted["job"], wanted["commitment"], draft, me(), change.version)
        except Commitment.DoesNotExist:  # type: ignore[attr-defined]
            raise Refused(404, "no-commitment", NO_COMMITMENT.format(**wanted)) from None
        return 201 if is_new else 200, written

    return changed(do)


@bp.post("/change-orders/<key:id>/sending")
def send(id: int) -> ResponseReturnValue:
    """To accounting."""
    return step(id, sending.send)


@bp.post("/change-orders/<key:id>/retrieval")
def retrieve(id: int) -> ResponseReturnValue:
    """Back from accounting, while no one has answered."""
    return step(id, sending.retrieve)


@bp.get("/openapi.json")
def description() -> ResponseReturnValue:
    """What the interface takes and answers, for programs."""
    return Response(json.dumps(openapi.document(), ensure_ascii=False), content_type="application/json")


def step(id: int, take: Callable[[int, User, int], ChangeOrder]) -> ResponseReturnValue:
    version = parsing.body(schemas.Step).version

    def do() -> tuple[int, ChangeOrder]:
        take(delivery.visible(id, me()).id, me(), version)
        return 200, change_orders.load(id)

    return changed(do)


def changed(do: Callable[[], tuple[int, ChangeOrder]]) -> ResponseReturnValue:
    """The answer of a change; under an idempotency key the one it had the first time."""
    key, again = parsing.idempotency_key(), False

    def answered() -> Answer:
        status, change_order = do()
        return Answer(status, rendering.full(change_order).model_dump_json())

    with recheck.afterwards(), events.by_token(bearer.token().name, bearer.token().made_by_id):
        if key:
            answer, again = idempotency.once(bearer.token(), key, parsing.fingerprint(), answered)
        else:
            answer = answered()
    response = Response(answer.body, answer.status, content_type="application/json")
    if answer.status == 201:
        response.headers["Location"] = json.loads(answer.body)["url"]
    if again:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def shown(shape: BaseModel) -> ResponseReturnValue:
    return Response(shape.model_dump_json(), content_type="application/json")


def me() -> User:
    """For whom the token acts."""
    user: User = bearer.token().user
    return user


@bp.app_errorhandler(Refused)
def refused(error: Refused) -> ResponseReturnValue:
    return problems.answer(error.status, str(error), error.kind, error.headers, **error.more)


@bp.errorhandler(Blocked)
def blocked(error: Blocked) -> ResponseReturnValue:
    return problems.answer(422, "Rules forbid this; see the errors.", "blocked", errors=problems.of_findings(error.findings))


@bp.errorhandler(Overtaken)
def overtaken(error: Overtaken) -> ResponseReturnValue:
    now = change_orders.load(error.change_order.id)
    revisions.show_as_sent([now], me())
    text = f"Nothing was recorded: CCO {now.number} is {now.label}, version {now.version}."
    return problems.answer(409, text, "overtaken", change_order=rendering.full(now))


@bp.errorhandler(CameBack)
def came_back(error: CameBack) -> ResponseReturnValue:
    now = change_orders.load(error.change_order.id)
    text = (
        f"Nothing was recorded: CCO {now.number} is {now.label}, and what this system said of it before is not known. "
        f"To replace what its project made of it, state the version that you have seen; it is {now.version}."
    )
    return problems.answer(409, text, "came-back", change_order=rendering.full(now))


@bp.errorhandler(OtherRequest)
def other_request(_: OtherRequest) -> ResponseReturnValue:
    text = "This Idempotency-Key was used for another request in the last 24 hours. Use a new key for each change."
    return problems.answer(422, text, "idempotency-key-reused")


@bp.errorhandler(ChangeOrder.DoesNotExist)  # type: ignore[attr-defined]
def not_there(_: Exception) -> ResponseReturnValue:
    return problems.answer(404, parsing.NO_SUCH, "not-found")
