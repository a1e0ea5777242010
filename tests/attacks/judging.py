"""What no answer may be, whatever was asked."""

import hashlib
import re

from portal import db
from portal.web.headers import HEADERS
from tests.attacks.catalogue import CANARY, SUM

QUICK_S = 10.0  # of the processor, so that a busy machine is no fault of ours; what takes time for each byte takes minutes
VOID = {"input", "meta", "link", "br", "hr", "img", "col", "wbr", "source"}
ATTRIBUTE = r"""\s+[a-zA-Z][\w:.-]*(?:="[^"]*"|='[^']*'|=[^\s"'=<>`]+)?"""
TAG = re.compile(rf"<(/?)([a-zA-Z][a-zA-Z0-9-]*)((?:{ATTRIBUTE})*)\s*(/?)>")
HOME = re.compile(r"/(?![/\\])[\x21-\x7e]*")  # an address of ours, and nothing that a browser takes for another host
LEADING = ("Location", "HX-Redirect", "HX-Location", "HX-Push-Url", "HX-Replace-Url")


def faults(answer, seconds):
    """What is wrong with an answer, as sentences."""
    found = [f"answered {answer.status_code}"] if answer.status_code >= 500 else []
    found += [f"took {seconds:.1f} s of the processor"] if seconds > QUICK_S else []
    found += [f"has no {name}" for name in HEADERS if name not in answer.headers]
    policy = answer.headers.get("Content-Security-Policy", "")
    found += ["has a policy with holes"] if "unsafe" in policy or "default-src 'none'" not in policy else []
    found += [f"leads to {answer.headers[name]!r}" for name in LEADING if name in answer.headers and not at_home(answer.headers[name])]
    found += [f"says {name}" for name, _ in answer.headers if name.startswith("Access-Control-")]
    if answer.mimetype == "text/html" and not 300 <= answer.status_code < 400:  # a redirect's page is not ours, and read by nobody
        text = answer.get_data(as_text=True)
        found += [f"is not well formed: {why}" for why in [malformed(text)] if why]
        found += ["holds markup of the attacker"] * (CANARY in text) + ["calculates for the attacker"] * (SUM in text)
        found += [f"calls itself {answer.content_type}"] * ("charset=utf-8" not in answer.content_type)
    return found


def at_home(address):
    return bool(HOME.fullmatch(address.removeprefix("http://localhost")))


_seen = {}


def malformed(text):
    """Why this is no tree of tags as we write them, each closed; empty when it is one."""
    key = hashlib.sha256(text.encode()).digest()
    if key not in _seen:
        _seen[key] = _malformed(text)
    return _seen[key]


def _malformed(text):
    open_tags, end = [], 0
    for tag in TAG.finditer(text):
        if "<" in text[end : tag.start()].replace("<!doctype html>", ""):
            return f"a stray < in {text[end : tag.start()][:300]!r}"
        end = tag.end()
        closes, name, attributes, closed = tag.groups()
        names = re.findall(r"\s([a-zA-Z][\w:.-]*)(?==|\s|$)", re.sub(r"\"[^\"]*\"|'[^']*'", '""', attributes))
        if len(names) != len(set(names)):
            return f"an attribute twice in {tag.group()[:200]}"
        if closes and (not open_tags or open_tags.pop() != name):
            return f"{tag.group()} closes nothing, before {text[end : end + 60]!r}"
        if not closes and not closed and name.lower() not in VOID:
            open_tags.append(name)
    return f"{open_tags} never closed" if open_tags else "a stray <" if "<" in text[end:] else ""


def state():
    """Everything that is recorded, by table."""
    return {table: db.database.execute_sql(f'SELECT * FROM "{table}"').fetchall() for table in sorted(db.database.get_tables())}
