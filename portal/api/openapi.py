"""The OpenAPI 3.1 description, made of the same models that read the requests and write the answers."""

from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from portal.api import problems, schemas
from portal.domain import keys
from portal.version import VERSION

REFUSALS = {
    400: "The body is no JSON, or the Idempotency-Key is none",
    401: "No access token, or one that does not work",
    403: "The token, or the person for whom it acts, may not do this",
    404: "There is no such thing, or the person for whom the token acts may not see it",
    409: "The change order is no longer in the state and version that were seen; `change_order` is it as it is now",
    413: "The body has more than 1 MB",
    415: "The body is not JSON",
    422: "The form, a parameter or a rule is violated: `errors` says where; or the Idempotency-Key was used for another request",
    429: "Too many requests with this token, or too many tokens that do not work from this address",
    503: "The database is busy; nothing was recorded",
}
TOKEN, READING = (401, 403, 429, 503), (401, 403, 404, 429, 503)
CHANGING = (400, 401, 403, 404, 409, 413, 415, 422, 429, 503)
ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1, "maximum": 10**18 - 1}}
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Makes a repeat of the same request answer what the first one was answered, for 24 hours",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}
LOCATION = {"Location": {"description": "Its address", "schema": {"type": "string"}}}
EXTRA_HEADERS = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    429: {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}},
}
NOT_BLANK = rf"^[^{keys.INVISIBLE}]*[^\s{keys.INVISIBLE}][^{keys.INVISIBLE}]*$"
READ = (schemas.Page, schemas.ChangeOrder, schemas.Problem)
WRITTEN = (schemas.Change, schemas.Step)


@cache
def document() -> dict[str, Any]:
    """The whole description."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "CCO portal", "version": VERSION, "description": "Change orders in, their fate out. See docs/api.md."},
        "paths": _paths(),
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "Made under Settings, Access tokens"}},
        },
        "security": [{"token": []}],
    }


def _paths() -> dict[str, Any]:
    numbered = {"parameters": [_numbered("job", 10), _numbered("commitment", 30), _numbered("number", 12)]}
    by_number = "/api/v1/jobs/{job}/commitments/{commitment}/change-orders/{number}"
    return {
        "/api/v1/change-orders": {
            "get": _operation("listChangeOrders", "List", "read", {200: schemas.Page}, (*TOKEN, 422)) | {"parameters": _query()}
        },
        "/api/v1/change-orders/{id}": {
            "get": _operation("showChangeOrder", "Show", "read", {200: schemas.ChangeOrder}, READING),
            "parameters": [ID],
        },
        by_number: {
            "get": _operation("showByNumber", "Show by numbers", "read", {200: schemas.ChangeOrder}, (*READING, 422)),
            "put": _changing("putChangeOrder", "Create or replace", "write", schemas.Change, {200, 201}),
        }
        | numbered,
        "/api/v1/change-orders/{id}/sending": {
            "post": _changing("sendChangeOrder", "Send to accounting", "send", schemas.Step, {200}),
            "parameters": [ID],
        },
        "/api/v1/change-orders/{id}/retrieval": {
            "post": _changing("retrieveChangeOrder", "Take back from accounting", "send", schemas.Step, {200}),
            "parameters": [ID],
        },
        "/api/v1/openapi.json": {"get": _operation("describe", "This description", "any", {200: None}, (401, 429, 503))},
    }


def _operation(
    name: str, summary: str, scope: str, answers: dict[int, type[BaseModel] | None], refusals: tuple[int, ...]
) -> dict[str, Any]:
    words = {200: "Done", 201: "Created"}
    said: dict[str, Any] = {
        str(status): {
            "description": words[status],
            "content": {"application/json": {"schema": _ref(model) if model else {"type": "object"}}},
        }
        for status, model in answers.items()
    }
    said |= {
        str(status): {"description": REFUSALS[status], "content": {problems.MEDIA_TYPE: {"schema": _ref(schemas.Problem)}}}
        | ({"headers": EXTRA_HEADERS[status]} if status in EXTRA_HEADERS else {})
        for status in refusals
    }
    needs = "Any token." if scope == "any" else f"Needs a token with the scope {scope}."
    return {"operationId": name, "summary": summary, "description": needs, "responses": said}


def _changing(name: str, summary: str, scope: str, body: type[BaseModel], statuses: set[int]) -> dict[str, Any]:
    operation = _operation(name, summary, scope, dict.fromkeys(sorted(statuses), schemas.ChangeOrder), CHANGING)
    if 201 in statuses:
        operation["responses"]["201"]["headers"] = LOCATION
    content = {"application/json": {"schema": _ref(body)}}
    return operation | {"parameters": [KEY], "requestBody": {"required": True, "content": content}}


def _query() -> list[dict[str, Any]]:
    schema = schemas.Asked.model_json_schema(ref_template="#/components/schemas/{model}")
    return [{"name": name, "in": "query", "schema": field} for name, field in schema["properties"].items()]


def _numbered(name: str, longest: int) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1, "maxLength": longest, "pattern": NOT_BLANK}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _schemas() -> dict[str, Any]:
    modes: Any = [(model, "serialization") for model in READ] + [(model, "validation") for model in WRITTEN]
    _, definitions = models_json_schema(modes, ref_template="#/components/schemas/{model}")
    schemas: dict[str, Any] = definitions["$defs"]
    return schemas


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}
