"""Who is at the other end, in plain words: the address, and the browser as people name it. Nothing is decided by either."""

from flask import request
from flask_login import current_user

from portal.domain.accounts.sessions import Place
from portal.domain.people import User

# The first that is found counts: Edge and Opera also say Chrome, Chrome also says Safari.
BROWSERS = {
    "Edg": "Edge",
    "OPR": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}
UNKNOWN = "Another program"


def place() -> Place:
    return Place(address(), browser(request.user_agent.string))


def address() -> str:
    """Of the browser; behind proxies the one that the last trusted proxy saw, see TRUSTED_PROXIES."""
    return request.remote_addr or ""


def browser(agent: str) -> str:
    """`Firefox on Windows` out of what a browser says of itself, of which nothing else is kept."""
    name = next((name for mark, name in BROWSERS.items() if mark in agent), UNKNOWN)
    system = next((name for mark, name in SYSTEMS.items() if mark in agent), "")
    return f"{name} on {system}" if system else name


def me() -> User:
    """The person at the browser: the row itself, which the domain can work with."""
    user: User = current_user._get_current_object()
    return user
