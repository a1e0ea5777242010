"""The way to one Spectrum server: WSDLs, sign-in and HTTP put together. Sends one message, gives back the answer as it came."""

import html
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

from portal.spectrum.outcomes import NotSent, OutcomeUnknown
from portal.spectrum.services import SOAP
from portal.spectrum.signin import Basic, Bearer, Enhanced, Nothing
from portal.spectrum.transport import Deadline, Http, Reply
from portal.spectrum.wsdl import Wsdl


class Channel:
    """See `client.Spectrum` for the settings."""

    def __init__(
        self,
        url: str,
        authorization_id: str,
        wsdl_folder: Path,
        http: Http,
        basic_company: str = "",
        enhanced: Enhanced | None = None,
    ) -> None:
        self.url = url.rstrip("/").removesuffix("/ws")
        self.bearer = Bearer(self.url, enhanced, http) if enhanced else None
        self._authorization_id = authorization_id
        self._folder = wsdl_folder
        self._http = http
        self._wsdls: dict[str, Wsdl] = {}
        self._shown: dict[str, str] = {}  # secrets of the calls so far: an answer may echo what signed them
        self._sign_in = self.bearer or (Basic(basic_company, authorization_id) if basic_company else Nothing())

    @property
    def place(self) -> str:
        """Host and port, for people."""
        return urlsplit(self.url).netloc.rpartition("@")[2]

    @property
    def secrets(self) -> Mapping[str, str]:
        """What must not be kept or shown, by the words that take its place."""
        mine = {"Authorization ID": self._authorization_id, "Authorization ID ": html.escape(self._authorization_id)}
        return {**mine, **self._shown}

    def call(self, service: str, values: Mapping[str, str], deadline: Deadline) -> Reply:
        """One SOAP call, with our Authorization ID. Raises NotSent, Refused (no token for us) or OutcomeUnknown."""
        given = {"Authorization_ID": self._authorization_id, **values}
        envelope = self._wsdl(service).envelope(given, lambda: self._fetch_wsdl(service, deadline))
        endpoint = f"{self.url}/ws/{service}"  # never the address in the WSDL, which may be an inner one
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{endpoint}"'}
        return self._signed(lambda signed: self._http.post(endpoint, envelope, {**headers, **signed}, deadline), self._sign_in, deadline)

    def get(self, path: str, company_code: str, deadline: Deadline) -> Reply:
        """One REST call. It wants Basic or Bearer [D6] [D9]; the Authorization ID stays out of the address, which proxies log."""
        sign_in = self.bearer or Basic(company_code, self._authorization_id)
        url = f"{self.url}{quote(path)}"
        return self._signed(lambda signed: self._http.get(url, deadline, {"Accept": "application/json", **signed}), sign_in, deadline)

    def forget_wsdl(self, service: str) -> None:
        self._wsdl(service).forget()

    def _wsdl(self, service: str) -> Wsdl:
        return self._wsdls.setdefault(service, Wsdl(service, self.url, self._folder))

    def _signed(self, send: Callable[[dict[str, str]], Reply], sign_in: Nothing, deadline: Deadline) -> Reply:
        """Send, and once more with a new token where the first was not known any more.

        This is the only place where a message goes out twice. It may: a 401 without a SOAP answer is the guard at the door saying that
        the message was not let in [A], and both sends are one attempt under one deadline, so a doubt about the second is a doubt about
        the attempt. A 401 that carries a SOAP answer contradicts itself and is not sent again.
        """
        reply = send(self._header(sign_in, deadline))
        if reply.status == 401 and self.bearer and SOAP.encode() not in reply.body:
            self.bearer.forget()
            reply = send(self._header(self.bearer, deadline))
        return reply

    def _header(self, sign_in: Nothing, deadline: Deadline) -> dict[str, str]:
        header = sign_in.header(deadline)
        self._shown.update(sign_in.secrets)
        return header

    def _fetch_wsdl(self, service: str, deadline: Deadline) -> bytes:
        """What the server gives as its WSDL; empty when it answers with anything but 200. Raises NotSent when it does not answer."""
        url = f"{self.url}/wsdls/{service}.jws"
        try:
            reply = self._signed(lambda signed: self._http.get(url, deadline, signed), self._sign_in, deadline)
        except OutcomeUnknown:
            raise NotSent("Nothing was sent to Spectrum: it did not give its WSDL.", cause="timeout") from None
        return reply.body if reply.status == 200 else b""
