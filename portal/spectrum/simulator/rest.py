"""What is not SOAP: the vendor list [D9], tokens and secret rotation [D5]. Each answers (status, JSON value)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import Authorization
from werkzeug.wrappers import Request

from portal.spectrum.outcomes import Row
from portal.spectrum.simulator import credentials, gets
from portal.spectrum.simulator.master import AuthorizationId
from portal.spectrum.simulator.world import World


@dataclass(frozen=True)
class Reply:
    """`rows`: what the journal notes of it; no secret is among them."""

    status: int
    value: Any
    rows: tuple[Row, ...] = ()

    @property
    def body(self) -> bytes:
        return json.dumps(self.value).encode()


def caller(given: Authorization | None, world: World) -> AuthorizationId | None:
    """Who signed in over HTTP: by token when enhanced authentication is on, by Basic when it is off [D6]."""
    if given is None:
        return None
    if world.options.enhanced:
        return credentials.owner(world, given.token or "") if given.type == "bearer" else None
    identity = world.master.authorization_ids.get(given.password or "") if given.type == "basic" else None
    return identity if identity and given.username in identity.companies else None


def vendors(request: Request, company_code: str, world: World) -> Reply:
    identity = caller(request.authorization, world)
    if identity is None:
        return Reply(401, {"error": "unauthorized"})
    if not identity.active or company_code not in identity.companies:
        row = Row("E", "The web service is not Authorized", "Authorization_ID")  # [D4]
        return Reply(200, [{"Error_Code": row.code, "Error_Description": row.text, "Error_Column": row.column}], (row,))
    rows = list(gets.vendors(company_code, world.master))
    return Reply(200, {"vendors": rows} if world.options.wrap_vendors else rows)


def token(form: Mapping[str, str], world: World) -> Reply:
    identity = _client(form, world)
    if isinstance(identity, Reply):
        return identity
    value = credentials.issue(world, identity)
    answer = {"access_token": value, "expires_in": world.options.token_s, "token_type": "Bearer", "scope": "spectrumapi"}
    return Reply(200, answer)


def rotation(form: Mapping[str, str], world: World) -> Reply:
    identity = _client(form, world)
    if isinstance(identity, Reply):
        return identity
    if not identity.self_rotation:
        return _refused(403, "unauthorized_client")
    secret, expires = credentials.rotate(world, identity)
    return Reply(200, {"client_secret": secret, "estimated_expiration": expires.isoformat(timespec="seconds")})


def _client(form: Mapping[str, str], world: World) -> AuthorizationId | Reply:
    if form.get("grant_type") != "client_credentials":
        return _refused(400, "unsupported_grant_type")
    if form.get("scope") != "spectrumapi":
        return _refused(400, "invalid_scope")
    return credentials.granted(world, form.get("client_id", ""), form.get("client_secret", "")) or _refused(400, "invalid_client")


def _refused(status: int, error: str) -> Reply:
    return Reply(status, {"error": error}, (Row("", error, ""),))
