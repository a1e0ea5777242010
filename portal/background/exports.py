"""Spectrum as the worker calls it: the client for the company's sign-in, and for each task in the exports lane its step."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from config import Settings
from portal import spectrum
from portal.crypto import Sealer, Unreadable
from portal.domain import companies
from portal.domain.exporting import send, verify
from portal.domain.exporting.readback import Read
from portal.domain.outbox import Dispatch, Task
from portal.domain.recovery import reconcile, recount, restored
from portal.domain.rules import spectrum_lists
from portal.domain.settings import connection_tests, refresh_lists, resend_check, spectrum_sign_in
from portal.spectrum import records
from portal.spectrum.listing import NONE
from portal.spectrum.signin import Enhanced, Token

Step = Callable[[Dispatch, int], None]


def steps(settings: Settings) -> dict[Task, Step]:
    """What to do with each promise of an exports lane. The client lives as long as this answer: one drain."""
    erp, read = client(settings), reader(settings)
    return {
        Task.EXPORT: partial(send.step, call=erp.change_request, read=read),
        Task.READ_BACK: partial(verify.answer, read=read),
        Task.RESEND_CHECK: partial(resend_check.step, call=erp.change_request, read=read),
        Task.COMPARE: partial(reconcile.step, read=read),
        Task.COMPARE_RESTORED: partial(restored.step, read=read),
        Task.RECOUNT: recount.step,
        Task.LOOK_UP: partial(refresh_lists.step, ask=questions(erp)),
        Task.CONNECTION_TEST: partial(connection_tests.step, test=erp.test_connection),
    }


def client(settings: Settings) -> Any:
    """The client for the sign-in that an administrator entered, else the one of the environment. No call is made yet."""
    company, sealer = companies.current(), Sealer(*settings.keys)
    try:
        held = spectrum_sign_in.credentials(company, sealer)
    except Unreadable as error:
        return UnavailableClient(str(error))
    return spectrum.connect(
        settings,
        authorization_id=held.authorization_id,
        basic_company=company.code if held.basic else "",
        enhanced=enhanced(company, sealer, held) if held.enhanced else None,
    )


def reader(settings: Settings) -> Read | None:
    """How Spectrum is read back; None where that is off. Without its driver every reading fails, in words."""
    try:
        link = spectrum.reader(settings)
    except records.Unanswered as error:
        return UnavailableReadback(error)
    return (lambda elements: link.look(*(elements[name] for name in records.KEYS))) if link else None


def enhanced(company: companies.Company, sealer: Sealer, held: spectrum_sign_in.Credentials) -> Enhanced:
    """Client credentials whose token outlives this process: RQ forks a new one for every task."""

    def get() -> Token | None:
        try:
            kept = spectrum_sign_in.token(company, sealer)
        except Unreadable:
            return None
        return Token(*kept) if kept else None

    def put(bought: Token | None) -> None:
        spectrum_sign_in.keep_token(company, sealer, held, (bought.value, bought.expires_at) if bought else None)

    return Enhanced(held.client_id, held.client_secret, get, put)


def questions(erp: Any) -> refresh_lists.Questions:
    return {
        spectrum_lists.JOBS: lambda code, _: erp.jobs(code),
        spectrum_lists.VENDORS: lambda code, _: erp.vendors(code),
        spectrum_lists.PHASES: lambda code, job: erp.phases(code, job),
        spectrum_lists.COMPLETE_PHASES: lambda code, job: none_is_fine(erp.phases(code, job, spectrum_lists.COMPLETE)),
    }


def none_is_fine(found: records.Found[records.Phase]) -> records.Found[records.Phase]:
    """Most jobs have no complete phase: then an empty list is the whole list."""
    return replace(found, complete=True, reason="") if found.reason == NONE else found


class UnavailableReadback:
    """Stands for the read-back while it cannot even begin: every reading fails in the same words."""

    def __init__(self, why: records.Unanswered) -> None:
        self._why = why

    def __call__(self, elements: Mapping[str, str]) -> records.Stored | None:
        raise self._why


class UnavailableClient:
    """Stands for the client while the stored secrets cannot be opened: every call is refused before it is made."""

    def __init__(self, why: str) -> None:
        self._why = why

    def refuse(self, *_: object) -> Any:
        """Raises Refused, as Spectrum would for a secret that is no good."""
        raise records.Refused(self._why, rows=[records.Row("A", self._why, "client_secret")])

    change_request = jobs = vendors = phases = test_connection = refuse
