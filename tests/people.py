"""A person at a browser without JavaScript: follows links, fills in the forms that are there, and presses their buttons."""

from typing import Any

import requests
from bs4 import BeautifulSoup, Tag


class Person:
    """Signed in at `base`. `press` submits the form that holds the button, with its hidden fields and what the test fills in."""

    def __init__(self, base: str, email: str, password: str) -> None:
        self.base, self.browser = base, requests.Session()
        self.browser.trust_env = False
        self.press(self.page("/login"), "Sign in", email=email, password=password)

    def get(self, path: str, **headers: str) -> requests.Response:
        return self.browser.get(self.base + path, headers=headers, timeout=30)

    def page(self, path: str) -> BeautifulSoup:
        answer = self.get(path)
        assert answer.status_code == 200, f"GET {path}: {answer.status_code}\n{answer.text[:2000]}"
        return BeautifulSoup(answer.text, "html.parser")

    def press(self, page: Tag, button: str, **fields: str) -> requests.Response:
        """Press the button; answers where that led."""
        found = next((b for b in page.find_all("button") if b.get_text(" ", strip=True) == button), None)
        assert found, f"no button {button}: {[b.get_text(' ', strip=True) for b in page.find_all('button')]}"
        form = found.find_parent("form")
        data = filled_in(form) | ({found["name"]: found.get("value", "")} if found.get("name") else {}) | fields
        return self.browser.post(self.base + form["action"], data=data, timeout=30)


def filled_in(form: Tag) -> dict[str, Any]:
    """The fields of a form as a browser would send them."""
    boxes = [box for box in form.find_all("input") if box.get("name") and (box.get("type") not in ("checkbox", "radio") or box.has_attr("checked"))]
    data: dict[str, Any] = {box["name"]: box.get("value", "on" if box.get("type") == "checkbox" else "") for box in boxes}
    data |= {area["name"]: area.get_text() for area in form.find_all("textarea")}
    for select in form.find_all("select"):
        chosen = select.find("option", selected=True) or select.find("option")
        data[select["name"]] = chosen.get("value", chosen.get_text())
    return data
