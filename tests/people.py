"""A person at a browser without JavaScript: follows links, fills in the forms that are there, and presses their buttons."""

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
        data = [(name, value) for name, value in filled_in(form) if name not in fields] + list(fields.items())
        if found.get("name"):
            data.append((found["name"], found.get("value", "")))
        return self.browser.post(self.base + (found.get("formaction") or form["action"]), data=data, timeout=30)


def filled_in(form: Tag) -> list[tuple[str, str]]:
    """The fields of a form as a browser would send them, in their order."""
    return [
        (field["name"], value_of(field)) for field in form.find_all(["input", "textarea", "select"]) if field.get("name") and is_sent(field)
    ]


def is_sent(field: Tag) -> bool:
    return field.get("type") not in ("checkbox", "radio") or field.has_attr("checked")


def value_of(field: Tag) -> str:
    if field.name == "textarea":
        return str(field.get_text())
    if field.name == "select":
        chosen = field.find("option", selected=True) or field.find("option")
        return str(chosen.get("value", chosen.get_text()))
    return str(field.get("value", "on" if field.get("type") == "checkbox" else ""))
