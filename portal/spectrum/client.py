"""The calls to Spectrum: one record, one call, one of three outcomes; and the questions that change nothing."""

import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from portal.spectrum import answers, catalogue, listing
from portal.spectrum.channel import Channel
from portal.spectrum.fields import BY_NAME
from portal.spectrum.lookups import Customer, Found, Job, Phase, Reached, Vendor
from portal.spectrum.outcomes import ACCESS, NotSent, OutcomeUnknown, Receipt, Refused, SpectrumError, Unanswered, explain
from portal.spectrum.signin import Enhanced
from portal.spectrum.text import outside_ascii
from portal.spectrum.transport import Deadline, Http

__all__ = ["Enhanced", "Spectrum"]

T = TypeVar("T")


class Spectrum:
    """One Spectrum server as one Authorization ID sees it.

    url            base address, `https://HOST:8482` [D1]; a trailing `/ws` is taken off, since both are written in practice [O2] [O3].
    connect_s      seconds to connect.
    deadline_s     seconds for one call in all: WSDL, token, connection, request and answer.
    ca_bundle      file with the certificate authority of the server; empty for the well-known ones. There is no way to switch
                   verification off.
    basic_company  company code to sign in with over HTTP Basic on SOAP too; empty, as is usual, for not at all [D6].
    enhanced       client credentials, where the customer has switched enhanced authentication on [D5].

    Keep one call in flight per Authorization ID [A]; an instance is not made for threads.
    """

    def __init__(
        self,
        url: str,
        authorization_id: str,
        wsdl_folder: Path,
        connect_s: float = 10.0,
        deadline_s: float = 120.0,
        ca_bundle: str = "",
        *,
        basic_company: str = "",
        enhanced: Enhanced | None = None,
    ) -> None:
        self.deadline_s = deadline_s
        self._channel = Channel(url, authorization_id, wsdl_folder, Http(connect_s, ca_bundle), basic_company, enhanced)
        self.url = self._channel.url

    def change_request(self, elements: Mapping[str, str], guid: str) -> Receipt:
        """Create or change one line of a change request (`ARChangeRequest` [D12]).

        elements    3-56, as `records.elements` makes them; the same values on every resend.
        guid        session label, at most 36 characters; no protection against doubles [D1].

        Raises NotSent (safe to try again), Refused (nothing stored) or OutcomeUnknown (may be stored).
        """
        _check(elements, guid)
        reply = self._channel.call("ARChangeRequest", {"GUID": guid, **elements}, Deadline(self.deadline_s))
        try:
            receipt = answers.judge(reply, "ARChangeRequest", self._channel.secrets)
        except OutcomeUnknown as doubt:
            if doubt.cause == "fault":
                self._channel.forget_wsdl("ARChangeRequest")
            raise
        return answers.confirm(receipt, elements["Change_Request_Number"])

    def test_connection(self, version: str) -> Reached:
        """Ask whether Spectrum is there and knows us (`WSTestConnection` [D11]); never raises what Spectrum or the way to it does.

        version  whole numbers with points, e.g. "1.12". Which one a server wants is not public; a complaint about it counts as
                 reached and authorised [A].
        """
        begun = time.monotonic()
        try:
            reply = self._channel.call("WSTestConnection", {"Version": version}, Deadline(self.deadline_s))
            if reply.status in (401, 403):
                raise Refused(catalogue.REFUSED_US, http=reply.status)
            rows = answers.read(reply, "WSTestConnection", self._channel.secrets)
        except answers.UnreadableError as problem:
            advice = "Check that SPECTRUM_URL names Spectrum's Data Exchange."
            return self._found(begun, f"{self._channel.place} answered, but not as Spectrum does. {problem}", advice)
        except SpectrumError as error:
            return self._found(begun, str(error), _advice(error), reached=not isinstance(error, NotSent) or error.http is not None)
        if denied := [row for row in rows if row.code in ACCESS]:
            entry = catalogue.find(denied[0].code, denied[0].column)
            return self._found(begun, entry.meaning, entry.remedy)
        said = "".join(f" {explain(row.code, row.column, row.text)}" for row in rows if row.code != "S")
        return self._found(begun, f"Spectrum at {self._channel.place} answered and accepts the Authorization ID.{said}", ok=True)

    def jobs(self, company_code: str, status: str = "") -> Found[Job]:
        """Jobs of a company (`GetJob` [D28]).

        status  blank: active and inactive ones; "C": complete ones. This and the other questions raise NotSent, Refused or Unanswered.
        """
        rows = self._list("GetJob", {"pCompany_Code": company_code, "pStatus_Code": status})
        return _found(rows, {"Company_Code": company_code}, "Job_Number", _job)

    def phases(self, company_code: str, job_number: str, status: str = "") -> Found[Phase]:
        """Phases and cost types of one job (`GetPhase` [D29]). `status` as in `jobs`: a complete phase is in no other list."""
        _filled(job_number)
        rows = self._list("GetPhase", {"pCompany_Code": company_code, "pJob_Number": job_number, "pStatus_Code": status})
        return _found(rows, {"Company_Code": company_code, "Job_Number": job_number}, "Phase_Code", _phase)

    def customers(self, company_code: str) -> Found[Customer]:
        """Active customers of a company (`GetCustomers` [D30])."""
        rows = self._list("GetCustomers", {"pCompany_Code": company_code})
        return _found(rows, {"Company_Code": company_code}, "Customer_Code", _customer)

    def vendors(self, company_code: str) -> Found[Vendor]:
        """Active vendors of a company (`GET /vendors/<company>` [D9])."""
        _filled(company_code)
        try:
            reply = self._channel.get(f"/vendors/{company_code}", company_code, Deadline(self.deadline_s))
        except OutcomeUnknown as error:
            raise _unanswered(error) from None
        rows = listing.read_json(reply, self._channel.secrets)
        return _found(rows, {"Company_Code": company_code}, "Vendor_Code", _vendor)

    def _list(self, service: str, filters: Mapping[str, str]) -> listing.Listing:
        """One Get; once more without a GUID where there is no row: servers differ in what a GUID does [O5] [O6]."""
        _filled(filters["pCompany_Code"])
        rows = self._ask(service, {"GUID": str(uuid.uuid4()), **filters})
        return rows if rows.rows or rows.reason else self._ask(service, {"GUID": "", **filters})

    def _ask(self, service: str, values: Mapping[str, str]) -> listing.Listing:
        try:
            reply = self._channel.call(service, values, Deadline(self.deadline_s))
        except OutcomeUnknown as error:
            raise _unanswered(error) from None
        return listing.read_soap(reply, service, self._channel.secrets)

    def _found(self, begun: float, said: str, advice: str = "", *, ok: bool = False, reached: bool = True) -> Reached:
        return Reached(ok, reached, self._channel.place, round(time.monotonic() - begun, 3), said, advice)


def _unanswered(error: OutcomeUnknown) -> Unanswered:
    text = "Spectrum did not answer in time." if error.cause == "timeout" else "The connection to Spectrum broke."
    return Unanswered(text, cause=error.cause)


def _advice(error: SpectrumError) -> str:
    if isinstance(error, NotSent):
        return catalogue.find("connect", error.cause).remedy
    if error.rows:
        return catalogue.find(error.rows[0].code, error.rows[0].column).remedy
    if error.http:
        return catalogue.find("http", str(error.http)).remedy
    return "Try again in a minute. If it goes on, check that Spectrum's Data Exchange runs."


def _found(rows: listing.Listing, asked: Mapping[str, str], key: str, make: Callable[[Mapping[str, str]], T]) -> Found[T]:
    """The rows that were asked for, each as `make` makes it."""
    ours = [row for row in rows.rows if row.get(key) and all(row.get(name, code).strip() == code.strip() for name, code in asked.items())]
    reason = rows.reason or (listing.STRANGE if len(ours) < len(rows.rows) else "") or ("" if ours else listing.NONE)
    return Found(tuple(map(make, ours)), not reason, reason)


def _job(row: Mapping[str, str]) -> Job:
    names = ("Job_Number", "Job_Description", "Customer_Code", "Contract_Number", "Status_Code")
    return Job(*(row.get(name, "") for name in names))


def _phase(row: Mapping[str, str]) -> Phase:
    names = ("Job_Number", "Phase_Code", "Cost_Type", "Description", "Status_Code", "Unit_of_Measure")
    return Phase(*(row.get(name, "") for name in names))


def _customer(row: Mapping[str, str]) -> Customer:
    return Customer(*(row.get(name, "") for name in ("Customer_Code", "Name", "Status")))


def _vendor(row: Mapping[str, str]) -> Vendor:
    return Vendor(*(row.get(name, "") for name in ("Vendor_Code", "Name")))


def _filled(code: str) -> None:
    """A Get is always filtered: an unfiltered one stops at 500 rows."""
    if not code.strip():
        raise ValueError("A look-up needs a company code, and one of phases a job number.")


def _check(elements: Mapping[str, str], guid: str) -> None:
    """The last guard before the wire: Spectrum would invent a number, and cut off what is too long."""
    if not elements.get("Change_Request_Number", "").strip():
        raise NotSent("Nothing was sent to Spectrum: the change request has no number, and Spectrum would invent one each time.")
    for name, value in {"GUID": guid, **elements}.items():
        field = BY_NAME.get(name)
        if field is None or len(value) > field.width or outside_ascii(value):
            raise NotSent(f"Nothing was sent to Spectrum: {field.label if field else name} cannot be stored there.")
