"""The company's OpenID provider: where people sign in there, and whom its answer names.

Authorization code with PKCE (S256), state and nonce, by Authlib. The only calls a web process makes to another machine; why it
may is in docs/decisions. They follow no redirect, take no proxy from the environment, and end within seconds.
"""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
import urllib3
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

import config
from portal import clock
from portal.domain.accounts.identities import Claims

SCOPE = "openid email profile"
# Signatures by a key that only the provider has. Neither `none`, nor HS256, whose key would be something we know too.
SIGNATURES = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA"]
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
ADDRESS = {"email", "email_verified"}
METADATA_KEPT = timedelta(hours=1)
LEFT_ALONE = timedelta(seconds=10)  # after it did not answer: people who press again must not hold all threads
ANSWER_WITHIN_S = 5.0
LARGEST_ANSWER = 1_000_000  # bytes
SKEW_S = 60  # by which two clocks may differ
LONGEST_SUBJECT = 255  # OpenID Connect Core, section 2

AWAY = "The identity provider does not answer. Try again in a minute; if it stays so, tell an administrator."
UNUSABLE = "The identity provider is not set up as the portal expects. Tell an administrator; the log has the details."
NOT_CONFIRMED = "The identity provider did not confirm this sign-in: it was too long ago or was used already. Start again."
NOT_BELIEVED = (
    "The answer of the identity provider could not be verified, so you were not signed in. Start again, or tell an administrator."
)


class NotVouched(Exception):
    """The provider vouches for no one; the text is for the person, `reason` for the log. `away`: because it could not be asked."""

    def __init__(self, text: str, reason: str, *, away: bool = False) -> None:
        super().__init__(text)
        self.reason, self.away = reason, away


@dataclass(frozen=True, slots=True)
class Trip:
    """What must be known again when the person comes back from the provider."""

    state: str
    nonce: str
    verifier: str


class Session(OAuth2Session):  # type: ignore[misc]
    """Authlib's session, which waits for ever and follows every redirect unless told otherwise."""

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        until = time.monotonic() + ANSWER_WITHIN_S
        limits = {"timeout": ANSWER_WITHIN_S, "allow_redirects": False, "stream": True}
        response: requests.Response = super().request(method, url, **options | limits)
        response._content = _read(response, until)  # what requests itself would set, without an end
        if response.is_redirect:
            raise requests.RequestException(f"{url} leads elsewhere")
        return response


class Provider:
    """The provider of this installation. What it says of itself is asked for when first needed and kept for an hour."""

    def __init__(self, settings: config.Settings, redirect_uri: str) -> None:
        self.issuer, self.groups_claim = settings.OIDC_ISSUER, settings.OIDC_GROUPS_CLAIM
        self._client = {
            "client_id": settings.OIDC_CLIENT_ID,
            "client_secret": settings.OIDC_CLIENT_SECRET,
            "scope": SCOPE,
            "redirect_uri": redirect_uri,
            "code_challenge_method": "S256",
            "trust_env": False,
            "verify": settings.OIDC_CA_BUNDLE or True,
        }
        self._metadata: dict[str, Any] = {}
        self._asked_at = self._failed_at = clock.EPOCH
        self._keys: KeySet | None = None

    def begin(self, *, anew: bool = False) -> tuple[str, Trip]:
        """Return the address to send the person to. `anew`: the provider must ask for their credentials again. Raises NotVouched."""
        trip = Trip(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(64))
        proof = {"prompt": "login", "max_age": "0"} if anew else {}
        endpoint = self._described()["authorization_endpoint"]
        with self._session() as session:
            url, _ = session.create_authorization_url(endpoint, state=trip.state, nonce=trip.nonce, code_verifier=trip.verifier, **proof)
        return str(url), trip

    def finish(self, code: str, trip: Trip) -> Claims:
        """Who came back with this code. Raises NotVouched."""
        described = self._described()
        with self._session(described) as session:
            with _asking("token"):
                token = session.fetch_token(described["token_endpoint"], code=code, code_verifier=trip.verifier)
            told = self._verified(token, trip)
            if described.get("userinfo_endpoint") and not ADDRESS | {"name", self.groups_claim} <= told.keys():
                more = self._more(session, described["userinfo_endpoint"], told["sub"])
                address = told if told.keys() >= ADDRESS else more  # never the address of the one on the word of the other
                told = more | told | {name: address.get(name) for name in ADDRESS}
        return self._claims(told)

    def _described(self) -> dict[str, Any]:
        """The provider's metadata (OpenID Connect Discovery)."""
        now = clock.now()
        if now - self._asked_at >= METADATA_KEPT:
            if now - self._failed_at < LEFT_ALONE:
                raise NotVouched(AWAY, "did not answer a moment ago", away=True)
            try:
                self._metadata, self._keys = self._discovered(), None
            except NotVouched:
                self._failed_at = now
                raise
            self._asked_at = now
        return self._metadata

    def _discovered(self) -> dict[str, Any]:
        described = self._ask(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if described.get("issuer") != self.issuer:
            raise NotVouched(UNUSABLE, f"it calls itself {described.get('issuer')!r}, not {self.issuer!r}")
        for name in ENDPOINTS:
            if not str(described.get(name)).startswith(("https://", *config.HERE)):
                raise NotVouched(UNUSABLE, f"its {name} is not https: {described.get(name)!r}")
        return described

    def _verified(self, token: dict[str, Any], trip: Trip) -> dict[str, Any]:
        """The claims of the ID token, once signature, issuer, audience, time and nonce are what they must be."""
        try:
            signed = self._decoded(str(token["id_token"]))
            ours = {"iss": {"essential": True, "value": self.issuer}, "aud": {"essential": True, "value": self._client["client_id"]}}
            params = {"nonce": trip.nonce, "client_id": self._client["client_id"], "access_token": token.get("access_token")}
            claims = CodeIDToken(signed.claims, signed.header, ours, params)
            claims.validate(now=int(clock.now().timestamp()), leeway=SKEW_S)
        except (JoseError, AuthlibBaseError, KeyError, TypeError, ValueError) as error:
            raise NotVouched(NOT_BELIEVED, f"ID token: {error!r}") from None
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
            raise NotVouched(NOT_BELIEVED, "ID token: its subject is none")
        return dict(claims)

    def _decoded(self, id_token: str) -> jwt.Token:
        registry = JWSRegistry(algorithms=SIGNATURES, strict_check_header=False)  # providers put headers of their own there
        try:
            return jwt.decode(id_token, self._key_set(), registry=registry)
        except InvalidKeyIdError:
            self._keys = None  # the provider signs with a new key
            return jwt.decode(id_token, self._key_set(), registry=registry)

    def _key_set(self) -> KeySet:
        if self._keys is None:
            self._keys = KeySet.import_key_set(self._ask(self._described()["jwks_uri"]))  # type: ignore[arg-type]
        return self._keys

    def _more(self, session: Session, endpoint: str, subject: str) -> dict[str, Any]:
        """What the provider keeps out of the ID token."""
        if not endpoint.startswith(("https://", *config.HERE)):
            raise NotVouched(UNUSABLE, f"its userinfo_endpoint is not https: {endpoint!r}")
        with _asking("userinfo"):
            more = _object(session.get(endpoint))
        if more.get("sub") != subject:
            raise NotVouched(NOT_BELIEVED, "userinfo: of another subject")
        return more

    def _claims(self, told: dict[str, Any]) -> Claims:
        groups = told.get(self.groups_claim) or []
        at = told.get("auth_time")
        return Claims(
            issuer=self.issuer,
            subject=told["sub"],
            email=_text(told.get("email")),
            email_verified=told.get("email_verified") is True,
            name=_text(told.get("name")),
            groups=frozenset(map(str, groups if isinstance(groups, list) else [groups])),
            proved_at=datetime.fromtimestamp(at, UTC) if isinstance(at, int | float) and 0 < at < 2**32 else None,
        )

    def _ask(self, url: str) -> dict[str, Any]:
        with _asking(url), self._session() as session:
            return _object(session.request("GET", url, withhold_token=True))

    def _session(self, described: dict[str, Any] | None = None) -> Session:
        methods = (described or {}).get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        method = "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
        return Session(token_endpoint_auth_method=method, **self._client)


@contextmanager
def _asking(what: str) -> Iterator[None]:
    """Everything that can go wrong on the way to the provider and back, told as one of two things."""
    try:
        yield
    except AuthlibBaseError as error:  # it answered, and said no
        raise NotVouched(NOT_CONFIRMED, f"{what}: {error.error}") from None
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError, KeyError, TypeError) as error:
        raise NotVouched(AWAY, f"{what}: {type(error).__name__}: {error}", away=True) from None


def _read(response: requests.Response, until: float) -> bytes:
    """The body, within the time and the size that an answer may take."""
    body: bytes = b""
    while piece := response.raw.read1(65536, decode_content=True):
        body += piece
        if len(body) > LARGEST_ANSWER or time.monotonic() > until:
            raise requests.RequestException("the answer does not end")
    return body


def _object(response: requests.Response) -> dict[str, Any]:
    response.raise_for_status()
    answer = response.json()
    if not isinstance(answer, dict):
        raise ValueError("the answer is not a JSON object")
    return answer


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
