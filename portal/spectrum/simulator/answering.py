"""HTTP answers of the simulator."""

import json
from typing import Any

from werkzeug.wrappers import Response


def xml(body: bytes, status: int = 200) -> Response:
    return Response(body, status, content_type="text/xml; charset=utf-8")


def as_json(data: Any, status: int = 200) -> Response:
    response = Response(status=status, content_type="application/json")
    response.set_data(json.dumps(data))
    return response


def unauthorized() -> Response:
    """Status assumed, body ours [A]."""
    return Response("Unauthorized", 401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}, content_type="text/plain")
