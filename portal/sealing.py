"""Secrets at rest: sealed under a key derived from SECRET_KEY, so that a copy of the database alone opens none of them."""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PURPOSE = b"portal: secrets in the database, 1"


class Unreadable(Exception):
    """What was sealed cannot be opened: SECRET_KEY is not the one it was sealed with, or the text was changed."""


class Sealer:
    """Seals and opens texts under one SECRET_KEY (Fernet: AES-128-CBC with HMAC-SHA256, key by HKDF-SHA256)."""

    def __init__(self, secret_key: str) -> None:
        key = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(secret_key.encode())
        self._fernet = Fernet(base64.urlsafe_b64encode(key))

    def seal(self, text: str) -> str:
        """The text, unreadable; an empty one stays empty."""
        return self._fernet.encrypt(text.encode()).decode() if text else ""

    def open(self, sealed: str) -> str:
        """The text again. Raises Unreadable."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode() if sealed else ""
        except InvalidToken:
            raise Unreadable("A stored secret cannot be read: SECRET_KEY has changed. Enter it again under Settings, Company.") from None
