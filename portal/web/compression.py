"""Compress answers: pages fast, as they leave; the portal's own files small, once.

What the length of a compressed page could tell about its content (BREACH) is kept from other sites in two ways: form tokens are masked
in each answer (form_tokens.py), and an answer that another site caused is sent as it is.
"""

import sys
import zlib
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from flask import Flask, Response, request

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Compress = Callable[[bytes], bytes]


class Encoding(NamedTuple):
    fast: Compress
    small: Compress


GZIP = 31  # of zlib: with the header of gzip
ENCODINGS = {  # by the name in Accept-Encoding, the better one first
    "zstd": Encoding(partial(zstd.compress, level=3), partial(zstd.compress, level=19)),
    "gzip": Encoding(partial(zlib.compress, level=3, wbits=GZIP), partial(zlib.compress, level=9, wbits=GZIP)),
}
COMPRESSED = frozenset(("text/html", "application/json", "application/problem+json"))
LEAST = 1_000  # bytes: less fits into one packet anyway
OTHER_SITES = ("cross-site", "same-site")


def init_app(app: Flask) -> None:
    app.after_request(compress)


def compress(response: Response) -> Response:
    """Compress a whole answer of text; a stream is passed on row by row as it is."""
    if response.is_streamed or response.mimetype not in COMPRESSED or "Content-Encoding" in response.headers:
        return response
    response.vary.update(("Accept-Encoding", "Sec-Fetch-Site"))
    encoding = accepted()
    if encoding and request.headers.get("Sec-Fetch-Site") not in OTHER_SITES and (response.content_length or 0) >= LEAST:
        response.set_data(ENCODINGS[encoding].fast(response.get_data()))
        response.headers["Content-Encoding"] = encoding
    return response


def accepted() -> str | None:
    """The best encoding that the browser reads; None to send the content as it is."""
    return request.accept_encodings.best_match(ENCODINGS)
