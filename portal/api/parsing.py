"""Requests as they come in: JSON and nothing else, every field once, every parameter known."""

import hashlib
import json
import re
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

from flask import request
from pydantic import BaseModel, TypeAdapter, ValidationError

from portal import strict_json
from portal.api import problems, schemas
from portal.api.problems import Refused

KEY = re.compile(r"[\x21-\x7e]{1,255}")
NUMBERS: dict[str, TypeAdapter[str]] = {
    "job": TypeAdapter(schemas.JobNumber),
    "commitment": TypeAdapter(schemas.CommitmentNumber),
    "number": TypeAdapter(schemas.Number),
}
NO_TEXT = "The address is not in UTF-8."
NO_SUCH = "There is no such change order, or the person for whom the token acts may not see it."
T = TypeVar("T", bound=BaseModel)


def body(shape: type[T]) -> T:
    """The body of the request. Raises Refused with everything that is wrong with it."""
    if request.mimetype != "application/json":
        raise Refused(415, "not-json", "Send the body as JSON: Content-Type: application/json.")
    try:
        return shape.model_validate(_json(request.get_data()))
    except ValidationError as error:
        raise Refused(422, "form", "The request does not have the form it needs.", errors=problems.of_form(error)) from None


def parameters() -> schemas.Asked:
    """What the address asks for. Raises Refused for what is unknown, repeated, or out of range."""
    given: dict[str, Any] = {name: values if name == "status" else values[0] for name, values in request.args.lists()}
    repeated = [name for name, values in request.args.lists() if name != "status" and len(values) > 1]
    faults = [schemas.Finding(parameter=name, detail="is given more than once.") for name in repeated]
    try:
        asked = schemas.Asked.model_validate(given)
    except ValidationError as error:
        faults += problems.of_form(error, parameters=True)
    if not _is_text(unquote_to_bytes(request.query_string)):
        faults.append(schemas.Finding(detail=NO_TEXT))
    if faults:
        raise Refused(422, "parameters", "The address asks for what cannot be given.", errors=faults)
    return asked


def numbers(**given: str) -> dict[str, str]:
    """Job, commitment and number of the address as they are kept. Raises Refused for what can be none."""
    read, faults = {}, []
    for name, value in given.items():
        try:
            read[name] = NUMBERS[name].validate_python(value)
        except ValidationError as error:
            faults += [schemas.Finding(parameter=name, detail=fault.detail) for fault in problems.of_form(error)]
    if not _is_text(request.environ["PATH_INFO"].encode("latin-1")):
        faults.append(schemas.Finding(detail=NO_TEXT))
    if faults:
        raise Refused(422, "parameters", "The address names what can be no number.", errors=faults)
    return read


def _is_text(address: bytes) -> bool:
    """What is no UTF-8 would be read as U+FFFD, and every such number as the same."""
    try:
        address.decode()
    except UnicodeDecodeError:
        return False
    return True


def idempotency_key() -> str:
    """The key of the change, or an empty text. Raises Refused for one that is none."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not KEY.fullmatch(key):
        raise Refused(400, "idempotency-key", "An Idempotency-Key has 1 to 255 visible ASCII characters without blanks.")
    return key or ""


def fingerprint() -> str:
    """What is asked for, for telling a repeat from another request."""
    return hashlib.sha256(f"{request.method} {request.full_path}\n".encode("utf-8", "surrogatepass") + request.get_data()).hexdigest()


def _json(data: bytes) -> Any:
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=strict_json.fields, parse_constant=strict_json.no_constant)
    except (ValueError, RecursionError) as error:
        said = str(error) if isinstance(error, strict_json.RepeatedField) else "The body cannot be read as JSON in UTF-8."
        raise Refused(400, "json", said) from None
