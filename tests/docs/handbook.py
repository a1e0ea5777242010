"""The pages of the handbook, as tests read them: sections, the portal's own words in *italics*, commands in fenced blocks."""

import re
from pathlib import Path

from tests.processes import ROOT

FOLDER = ROOT / "docs" / "handbook"
PAGES = sorted(FOLDER.rglob("*.md"))
INCIDENTS = sorted((FOLDER / "incidents").glob("*.md"))
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
ITALIC = re.compile(r"(?<![\w*\\])\*(?![\s*])([^*]+?)(?<!\s)\*(?![\w*])")
ANYTHING = "…"  # stands for what differs


def name_of(path: Path) -> str:
    return path.relative_to(FOLDER).with_suffix("").as_posix()


def plain(text: str) -> str:
    """One blank between words, typewriter's apostrophes."""
    return " ".join(text.replace("’", "'").split())


def prose(text: str) -> str:
    """Without fenced blocks and code."""
    return re.sub(r"`[^`\n]+`", "`", FENCE.sub("", text))


def quoted(text: str) -> list[str]:
    """The portal's own words: what stands in italics."""
    return [plain(one) for one in ITALIC.findall(prose(text))]


def commands(text: str) -> list[str]:
    """The lines of the fenced blocks of shell."""
    blocks = [block for language, block in FENCE.findall(text) if language == "sh"]
    return [
        line.strip()
        for block in blocks
        for line in block.replace("\\\n", " ").splitlines()
        if line.strip() and not line.strip().startswith("#")
    ]


def sections(text: str) -> dict[str, str]:
    """By heading of the second level."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def pattern(words: str) -> re.Pattern[str]:
    """Finds the words where anything may stand for each `…` in them."""
    return re.compile(".+?".join(re.escape(part) for part in plain(words).split(ANYTHING)), re.DOTALL)
