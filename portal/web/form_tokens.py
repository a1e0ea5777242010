"""Form tokens of Flask-WTF, masked in each answer: a compressed page of constant text and a constant token can be guessed by its length."""

from base64 import b64decode, urlsafe_b64encode
from secrets import token_bytes

from flask import Flask, g
from flask_wtf.csrf import CSRFProtect, generate_csrf


class MaskedCSRFProtect(CSRFProtect):  # type: ignore[misc]
    """Flask-WTF signs and checks the token; pages carry it behind a random pad."""

    def init_app(self, app: Flask) -> None:
        super().init_app(app)
        app.jinja_env.globals["csrf_token"] = masked_token
        app.context_processor(lambda: {"csrf_token": masked_token})

    def _get_csrf_token(self) -> str | None:
        return unmask(super()._get_csrf_token() or "")


csrf = MaskedCSRFProtect()


def masked_token() -> str:
    """The token for the forms of this answer: one mask, so that the second form of a page compresses to a reference."""
    if "masked_token" not in g:
        g.masked_token = mask(generate_csrf())
    token: str = g.masked_token
    return token


def mask(token: str) -> str:
    """A random pad as long as the token, then the token combined with it (XOR)."""
    pad = token_bytes(len(token))
    return urlsafe_b64encode(pad + _xor(pad, token.encode("ascii"))).decode("ascii")


def unmask(text: str) -> str | None:
    """The token behind the mask; None for a text that `mask` cannot have made."""
    try:
        both = b64decode(text, altchars=b"-_", validate=True)
        half, odd = divmod(len(both), 2)
        return None if odd else _xor(both[:half], both[half:]).decode("ascii")
    except ValueError:  # of each: not ASCII, not base64, no ASCII behind the mask
        return None


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
