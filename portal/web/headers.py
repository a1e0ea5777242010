"""The headers every answer carries, errors and redirects included: what a browser may do with it, and who may keep it."""

from flask import Flask, Response, current_app, request

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # not no-referrer: over TLS the guard against forged forms asks for it
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
COMPARED = ("frame.summary",)  # by ETag
ONE_YEAR = "max-age=31536000; includeSubDomains"
# Not "cookies": that would sign the person out of everything else under the same domain.
FORGET = '"cache", "storage"'


def init_app(app: Flask) -> None:
    app.after_request(protect)


def protect(response: Response) -> Response:
    """Pages are kept nowhere: a fragment out of a cache looks like a page, and Back would show it. What the browser itself asks for again
    and again, it may keep to compare."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if current_app.config["SESSION_COOKIE_SECURE"]:
        response.headers["Strict-Transport-Security"] = ONE_YEAR
    if request.endpoint == "sessions.end":
        response.headers["Clear-Site-Data"] = FORGET
    if request.endpoint != "static" or response.status_code >= 400:
        response.headers["Cache-Control"] = (
            "private, no-cache" if "ETag" in response.headers and request.endpoint in COMPARED else "no-store"
        )
        response.vary.add("HX-Request")
    return response
