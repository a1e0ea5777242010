"""The call to Spectrum. One record, one call, one of three outcomes."""

from collections.abc import Mapping
from pathlib import Path

from portal.spectrum import answers
from portal.spectrum.fields import BY_NAME
from portal.spectrum.outcomes import NotSent, OutcomeUnknown, Receipt
from portal.spectrum.text import outside_ascii
from portal.spectrum.transport import Deadline, Http
from portal.spectrum.wsdl import Wsdl

SERVICE = "ARChangeRequest"


class Spectrum:
    """One Spectrum server as one Authorization ID sees it.

    url         base address, `https://HOST:8482` [D1]; a trailing `/ws` is taken off, since both are written in practice [O2] [O3].
    connect_s   seconds to connect.
    deadline_s  seconds for one call in all: WSDL, connection, request and answer.
    ca_bundle   file with the certificate authority of the server; empty for the well-known ones. There is no way to switch
                verification off.

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
    ) -> None:
        self.url = url.rstrip("/").removesuffix("/ws")
        self.deadline_s = deadline_s
        self._authorization_id = authorization_id
        self._http = Http(connect_s, ca_bundle)
        self._wsdl = Wsdl(SERVICE, self.url, wsdl_folder)

    def change_request(self, elements: Mapping[str, str], guid: str) -> Receipt:
        """Create or change one line of a change request (`ARChangeRequest` [D12]).

        elements    3-56, as `records.elements` makes them; the same values on every resend.
        guid        session label, at most 36 characters; no protection against doubles [D1].

        Raises NotSent (safe to try again), Refused (nothing stored) or OutcomeUnknown (may be stored).
        """
        _check(elements, guid)
        deadline = Deadline(self.deadline_s)
        values = {"Authorization_ID": self._authorization_id, "GUID": guid, **elements}
        envelope = self._wsdl.envelope(values, lambda: self._fetch_wsdl(deadline))
        endpoint = f"{self.url}/ws/{SERVICE}"  # never the address in the WSDL, which may be an inner one
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{endpoint}"'}
        reply = self._http.post(endpoint, envelope, headers, deadline)
        try:
            return answers.judge(reply, SERVICE, self._authorization_id)
        except OutcomeUnknown:
            self._wsdl.forget()
            raise

    def _fetch_wsdl(self, deadline: Deadline) -> bytes:
        try:
            reply = self._http.get(f"{self.url}/wsdls/{SERVICE}.jws", deadline)
        except OutcomeUnknown:
            raise NotSent("Nothing was sent to Spectrum: it did not give its WSDL.") from None
        if reply.status != 200 or not reply.body:
            raise NotSent(f"Nothing was sent to Spectrum: it did not give its WSDL (HTTP {reply.status}).")
        return reply.body


def _check(elements: Mapping[str, str], guid: str) -> None:
    """The last guard before the wire: Spectrum would invent a number, and cut off what is too long."""
    if not elements.get("Change_Request_Number", "").strip():
        raise NotSent("Nothing was sent to Spectrum: the change request has no number, and Spectrum would invent one each time.")
    for name, value in {"GUID": guid, **elements}.items():
        field = BY_NAME.get(name)
        if field is None or len(value) > field.width or outside_ascii(value):
            raise NotSent(f"Nothing was sent to Spectrum: {field.label if field else name} cannot be stored there.")
