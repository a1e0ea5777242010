"""How a call shows who it is from, besides the Authorization ID in its body: not at all, Basic [D6], or enhanced authentication [D5].

Enhanced authentication is OAuth2 client credentials: a secret that lives 7 to 120 days buys tokens that live minutes.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from portal import clock
from portal.spectrum import catalogue
from portal.spectrum.answers import scrub
from portal.spectrum.outcomes import NotSent, OutcomeUnknown, Refused, Row
from portal.spectrum.transport import ANSWER_LIMIT, Deadline, Http, Reply

SCOPE = "spectrumapi"  # [D5]
EARLY = timedelta(seconds=60)  # a token is renewed this long before it ends, so that it outlives the call it is for
BRIEF = 300  # seconds a token is used when Spectrum does not say how long it lives
HEADER_SAFE = re.compile(r"[!-~]+")
REFUSALS = (400, 401, 403)  # 400 invalid_client by RFC 6749, the others to be safe [A]


@dataclass(frozen=True, slots=True)
class Token:
    """`expires_at` in UTC."""

    value: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Enhanced:
    """What enhanced authentication needs. Spectrum shows both fields with the Authorization ID.

    get_token, put_token  where the caller keeps the token between processes, encrypted; put_token(None) throws it away.
    """

    client_id: str
    client_secret: str = field(repr=False)
    get_token: Callable[[], Token | None] = lambda: None
    put_token: Callable[[Token | None], None] = lambda token: None


class Nothing:
    """The Authorization ID in the body is enough for SOAP [D6]."""

    @property
    def secrets(self) -> Mapping[str, str]:
        """What must not be kept or shown, by the words that take its place."""
        return {}

    def header(self, deadline: Deadline) -> dict[str, str]:
        return {}


class Basic(Nothing):
    """Company code and Authorization ID as user and password: for REST, and for servers that want it for SOAP too."""

    def __init__(self, company_code: str, authorization_id: str) -> None:
        self._value = base64.b64encode(f"{company_code}:{authorization_id}".encode()).decode()

    @property
    def secrets(self) -> Mapping[str, str]:
        return {"credentials": self._value}

    def header(self, deadline: Deadline) -> dict[str, str]:
        return {"Authorization": f"Basic {self._value}"}


class Bearer(Nothing):
    """A token, fetched when there is none or it is about to end."""

    def __init__(self, url: str, enhanced: Enhanced, http: Http) -> None:
        self._url = url
        self._enhanced = enhanced
        self._http = http
        self._token: Token | None = None

    @property
    def secrets(self) -> Mapping[str, str]:
        return {"client secret": self._enhanced.client_secret, "token": self._token.value if self._token else ""}

    def header(self, deadline: Deadline) -> dict[str, str]:
        """Raises NotSent when Spectrum gives no token, Refused when it does not want our secret."""
        token = self._token or self._enhanced.get_token()
        if token is None or token.expires_at - EARLY <= clock.now():
            token = self._fetch(deadline)
            self._enhanced.put_token(token)
        self._token = token
        return {"Authorization": f"Bearer {token.value}"}

    def forget(self) -> None:
        """Spectrum does not know the token any more."""
        self._token = None
        self._enhanced.put_token(None)

    def _fetch(self, deadline: Deadline) -> Token:
        try:
            reply = self._post("/connect/token", deadline)
        except OutcomeUnknown:
            raise _no_token() from None
        values = _values(reply)
        value, kind = values.get("access_token"), values.get("token_type", "Bearer")
        if reply.status != 200 or str(kind).lower() != "bearer" or not isinstance(value, str) or not HEADER_SAFE.fullmatch(value):
            raise _no_token(reply.status)
        return Token(value, clock.now() + timedelta(seconds=_seconds(values.get("expires_in"))))

    def _post(self, path: str, deadline: Deadline) -> Reply:
        """Four fields [D5]; form encoding is [A]."""
        fields = {
            "client_id": self._enhanced.client_id,
            "client_secret": self._enhanced.client_secret,
            "scope": SCOPE,
            "grant_type": "client_credentials",
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        reply = self._http.post(f"{self._url}{path}", urlencode(fields).encode(), headers, deadline)
        if reply.status in REFUSALS:
            said = scrub(str(_values(reply).get("error", "")), self.secrets)[:100]
            row = Row("A", said, "client_secret")  # a row of our own: how a refused secret is told apart wherever rows are kept
            raise Refused(catalogue.SECRET_EXPIRED, http=reply.status, rows=[row])
        return reply


def _no_token(http: int | None = None) -> NotSent:
    status = f" (HTTP {http})" if http else ""
    return NotSent(f"Nothing was sent to Spectrum: it gave no token to sign in with{status}.", http=http, cause="token")


def _values(reply: Reply) -> dict[str, Any]:
    """The fields of a JSON object; empty for anything else."""
    try:
        values = json.loads(reply.body) if len(reply.body) <= ANSWER_LIMIT else None
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def _seconds(value: object) -> int:
    """Seconds a token lives: at most a day, whatever the answer says."""
    return min(int(value), 86400) if str(value).isascii() and str(value).isdecimal() else BRIEF  # type: ignore[call-overload]
