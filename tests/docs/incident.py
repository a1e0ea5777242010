"""A page that is followed: its commands are run, its buttons pressed, its words looked for."""

import re
import shlex

from tests.docs import handbook
from tests.pages import soup, words

SEES, DOES, OVER = "What you see", "What to do", "How you know it is over"
PRESS = re.compile(r"\b[Pp]ress\s+" + handbook.ITALIC.pattern)


def form_of(button):
    return button.find_parent("form")


def fields(button):
    """What the browser would send with nothing more typed."""
    form = form_of(button)
    inputs = [one for one in form("input") if one.get("name") and (one.get("type") != "checkbox" or one.has_attr("checked"))]
    typed = {one["name"]: one.get("value", "on") for one in inputs} | {one["name"]: one.text.removeprefix("\n") for one in form("textarea")}
    return typed | ({button["name"]: button["value"]} if button.get("name") else {})


class Incident:
    """Follows one page. `machine` does what commands of the machine, which is not here, would do, by their first words."""

    def __init__(self, page, run, client):
        self.sections = handbook.sections((handbook.FOLDER / "incidents" / f"{page}.md").read_text(encoding="utf-8"))
        self.portal, self.client, self.machine, self.done = run, client, {}, set()

    def sees(self, *told):
        """What one sees is what the page says one sees."""
        self._quotes(SEES, *told)

    def is_over(self, *told):
        self._quotes(OVER, *told)

    def _quotes(self, section, *told):
        told = handbook.plain(" ".join(told))
        missing = [words for words in handbook.quoted(self.sections[section]) if not handbook.pattern(words).search(told)]
        assert not missing, f"{missing} in: {told}"

    def run(self, beginning, status=0, **values):
        """The one command of the page that begins so, with the values for its words in capitals; answers what it printed."""
        [command] = {one for one in handbook.commands("".join(self.sections.values())) if one.startswith(beginning)}
        self.done.add(command)
        for word, value in values.items():
            command = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", str(value), command)
        stages = command.split(" | ")
        told = "" if stages[0].startswith("portal ") else next(act for first, act in self.machine.items() if command.startswith(first))()
        for arguments in (shlex.split(stage)[1:] for stage in stages if stage.startswith("portal ")):
            answer = self.portal(*arguments, typed=told)
            assert answer.exit_code == status, answer.output
            told = answer.output
        return told

    def press(self, label, at, **typed):
        """The button of this name on the page at this address; where it opens a form, also the one that sends what is typed there."""
        self.done.add(handbook.plain(label))
        button = self._button(label, self.client.get(at, follow_redirects=True))
        if form_of(button)["method"] == "get":
            button = self._button(label, self.client.get(form_of(button)["action"], follow_redirects=True))
        return self.client.post(form_of(button)["action"], data=fields(button) | typed, follow_redirects=True)

    def _button(self, label, answer):
        """What sends comes before what only opens a form."""
        named = [one for one in soup(answer)("button") if handbook.plain(words(one)) == handbook.plain(label)]
        assert named, f"no button {label} on {words(soup(answer))}"
        return max(named, key=lambda one: form_of(one)["method"] == "post")

    def assert_followed(self):
        """Nothing of the page was left out."""
        wanted = {
            *handbook.commands(self.sections[DOES] + self.sections[OVER]),
            *(handbook.plain(one) for one in PRESS.findall(self.sections[DOES])),
        }
        assert wanted <= self.done, f"not followed: {wanted - self.done}"
