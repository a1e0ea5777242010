"""What a page of the handbook names exists: words of the screens in *italics*, commands with their options, settings, addresses, units."""

import re
import subprocess

import click
import pytest
from werkzeug.exceptions import HTTPException

import config
from portal.cli import main
from tests.docs import handbook, vocabulary
from tests.docs.handbook import PAGES, name_of
from tests.processes import ROOT

CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
UNITS = {path.stem.rstrip("@") for path in (ROOT / "deploy").glob("*.service")} | {path.name for path in (ROOT / "deploy").glob("*.timer")}


@pytest.fixture(params=PAGES, ids=name_of)
def text(request):
    return request.param.read_text(encoding="utf-8")


def test_the_portal_says_what_a_page_quotes(text):
    assert [words for words in handbook.quoted(text) if not vocabulary.is_spoken(words)] == []


def test_a_word_that_the_portal_does_not_say_is_found():
    assert not vocabulary.is_spoken("Approve and forward")
    assert not vocabulary.is_spoken("Accept … dirty")
    assert vocabulary.is_spoken("Accept … clean")


def named_commands(text):
    return [one for one in [*handbook.commands(text), *CODE.findall(handbook.FENCE.sub("", text))] if re.search(r"(^|\| )portal ", one)]


def fault(line):
    """What is wrong with a command of the portal; empty when it can be called so."""
    command, rest = main, line.partition("portal ")[2].split(" | ")[0].split()
    while isinstance(command, click.Group):
        name = rest.pop(0) if rest else ""
        found = command.get_command(click.Context(command), name)
        if found is None:
            return f"{line}: {name} is no command"
        command = found
    options = {name for one in command.params if isinstance(one, click.Option) for name in one.opts}
    unknown = [word for word in rest if word.startswith("--") and word not in options]
    return f"{line}: {unknown} are no options" if unknown else ""


def test_every_command_can_be_called_so(text):
    assert [one for one in map(fault, named_commands(text)) if one] == []


def test_a_command_or_an_option_that_is_not_there_is_found():
    assert fault("portal exports flush")
    assert fault("portal exports pause REASON --force")
    assert not fault("portal exports pause REASON --by EMAIL")


def test_every_setting_exists(text):
    named = {one for one in CODE.findall(text) if re.fullmatch(r"[A-Z]+(_[A-Z]+)+", one)}

    assert {one.removesuffix("_FILE") for one in named} <= set(config.Settings.model_fields)


def test_every_address_is_a_page_of_the_portal(text, app):
    paths = [one for one in CODE.findall(text) if re.fullmatch(r"/[a-z][\w/-]*", one) and not one.startswith(("/etc/", "/var/", "/opt/"))]
    known = app.url_map.bind("localhost")

    def is_there(path):
        try:
            return bool(known.match(path))
        except HTTPException:
            return False

    assert [path for path in paths if not is_there(path)] == []


def test_every_unit_of_systemd_is_in_the_examples(text):
    named = {word for line in handbook.commands(text) if line.startswith("systemctl") for word in line.split() if word.startswith("portal")}

    assert {word.split("@")[0] if "@" in word else word for word in named} <= UNITS


def test_the_shell_takes_every_command(text):
    done = subprocess.run(["sh", "-n"], input="\n".join(handbook.commands(text)), text=True, capture_output=True)

    assert done.stderr == ""


def test_every_page_is_reached_from_the_first():
    first = (handbook.FOLDER / "README.md").read_text(encoding="utf-8")

    assert {str(page.relative_to(handbook.FOLDER)) for page in PAGES} - {"README.md"} <= set(re.findall(r"\]\(([^)#]+)", first))


def test_every_picture_is_shown_has_words_for_those_who_do_not_see_it_and_is_light():
    shown = {
        (page.parent / file).resolve(): words
        for page in PAGES
        for words, file in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    }
    pictures = set((handbook.FOLDER / "images").iterdir())

    assert set(shown) == pictures
    assert len(pictures) <= 12
    assert [file.name for file, words in shown.items() if len(words) < 20] == []
    assert [file.name for file in pictures if file.stat().st_size > 80_000] == []
