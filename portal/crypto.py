"""Secrets at rest: sealed under a key derived from SECRET_KEY, so that a copy of the database alone opens none of them."""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PURPOSE = b"portal: secrets in the database, 1"


class Unreadable(Exception):
    """What was sealed cannot be opened: SECRET_KEY is not the one it was sealed with, or the text was changed."""


class Sealer:
    """Seals under one SECRET_KEY and opens what it or an older one sealed (Fernet: AES-128-CBC with HMAC-SHA256, keys by HKDF-SHA256)."""

    def __init__(self, secret_key: str, *older: str) -> None:
        self._present = fernet(secret_key, PURPOSE)
        self._all = MultiFernet([self._present, *(fernet(key, PURPOSE) for key in older)])

    def seal(self, text: str) -> str:
        """The text, unreadable; an empty one stays empty."""
        return self._present.encrypt(text.encode()).decode() if text else ""

    def open(self, sealed: str) -> str:
        """The text again. Raises Unreadable."""
        try:
            return self._all.decrypt(sealed.encode()).decode() if sealed else ""
        except InvalidToken:
            raise Unreadable("A stored secret cannot be read: SECRET_KEY has changed. Enter it again under Settings, Company.") from None

    def is_present(self, sealed: str) -> bool:
        """Whether the present SECRET_KEY sealed it, so that it outlives the older ones."""
        try:
            self._present.decrypt(sealed.encode() or self._present.encrypt(b""))
        except InvalidToken:
            return False
        return True


def fernet(secret: str, purpose: bytes) -> Fernet:
    """The recipe under a key derived from the secret for one purpose."""
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(key))
