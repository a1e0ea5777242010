"""What the portal says on its pages and in the terminal, sentence by sentence, from its templates and its program."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.docs.handbook import plain
from tests.processes import ROOT

PROGRAM = [path for room in ("cli", "db", "domain", "web") for path in (ROOT / "portal" / room).rglob("*.py")]
TEMPLATES = [path for path in (ROOT / "templates").rglob("*.html") if path.parent.name != "mail"]
STRING = re.compile(r"\"([^\"\n]+)\"|'([^'\n]+)'")
INLINE = re.compile(r"</?(?:span|strong|em|code|time|a|abbr|data)\b[^>]*>")
HOLE = "\0"  # where something differs


def is_spoken(words: str) -> bool:
    """Whether the portal says each sentence of it, or shows it as a label."""
    return all(any(_fits(one, said) for said in spoken()) for one in _sentences(plain(words)))


def _fits(words: str, said: str) -> bool:
    """What is written must be the better half: a text that is hardly more than holes fits anything."""
    if _letters(said) * 2 < _letters(words):
        return False
    return words == said or (HOLE in said and _pattern(said).fullmatch(words) is not None)


@cache
def _pattern(said: str) -> re.Pattern[str]:
    return re.compile(".*?".join(map(re.escape, re.split(f" ?{HOLE} ?", said))))


@cache
def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))


@cache
def spoken() -> frozenset[str]:
    texts = [*(text for path in PROGRAM for text in _of_program(path)), *(text for path in TEMPLATES for text in _of_template(path))]
    return frozenset(one for text in texts for one in _sentences(plain(text)))


def _sentences(text: str) -> list[str]:
    """Without what ends them; several holes beside each other are one."""
    text = re.sub(rf"{HOLE}(?: ?{HOLE})+", HOLE, text)
    return [one for part in re.split(r"(?<=[.:?!]) ", text) if _letters(one := part.strip(".: "))]


def _of_program(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else HOLE for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.sub(r"\{\w*\}", HOLE, node.value)


def _of_template(path: Path) -> Iterator[str]:
    source = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for expression in re.findall(r"\{[{%].*?[}%]\}", source, flags=re.DOTALL):
        yield from (one or other for one, other in STRING.findall(expression))
    text = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", HOLE, source, flags=re.DOTALL)
    yield from re.findall(r'(?:aria-label|title|placeholder)="([^"]+)"', text)
    for markup in (text, INLINE.sub("", text)):
        yield from re.split(r"<[^>]*>", markup)
