"""The forms that open in the row of a change order."""

from dataclasses import dataclass

from flask import abort, request

from portal.domain.change_orders import Status
from portal.domain.review import decisions


@dataclass(frozen=True, slots=True)
class Form:
    """When a form makes sense, and what sends it. Its template is `_NAME.html`.

    states     of the change order in which it can be sent
    opener     the button that opens it, and has the focus again when it is cancelled
    endpoints  that take it
    action     has to be available to the person, see `review.actions`; empty where the rule is that of a decision
    tick       the button needs no form but for this tick
    """

    states: tuple[Status, ...]
    opener: str
    endpoints: tuple[str, ...]
    action: str = ""
    tick: str = ""


FORMS = {
    "acceptance": Form((Status.READY,), "accept", ("deciding.accept", "deciding.previewed")),
    "rejection": Form(decisions.REJECTABLE, "reject", ("deciding.reject",)),
    "asking": Form((Status.READY,), "ask", ("waiting.ask",)),
    "holding": Form((Status.READY,), "hold", ("waiting.hold",)),
    "presence": Form((Status.UNKNOWN,), "present", ("resolving.resolve",), "resolve"),
    "absence": Form((Status.UNKNOWN,), "absent", ("resolving.resolve",), "resolve"),
    "manual": Form((Status.FAILED,), "manual", ("resolving.enter_by_hand",), "mark_entered_manually"),
    "unlinking": Form((Status.EXPORTED,), "unlink", ("resolving.unlink",), "unlink"),
    "retrying": Form((Status.FAILED,), "retry", ("resolving.retry",), "retry", tick="not_entered"),
    "reviewing": Form((Status.FAILED,), "review", ("resolving.review_again",), "review", tick="not_entered"),
}
ANSWERS = {"present": "presence", "absent": "absence"}


def sent() -> str:
    """The form that the request in hand sends; empty for a button without one."""
    if request.endpoint == "resolving.resolve":
        return answered(request.form.get("answer", ""))
    return next((name for name, form in FORMS.items() if request.endpoint in form.endpoints), "")


def answered(text: str) -> str:
    """The form of the answer to *Is it in Spectrum?* Ends the request where it is none."""
    return ANSWERS.get(text) or abort(400, "Say whether it is in Spectrum or not.")
