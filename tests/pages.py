"""Answers of the portal, as tests read them."""

from bs4 import BeautifulSoup


def soup(answer):
    """The page, or the part of one, whatever its status."""
    return BeautifulSoup(answer.text, "html.parser")


def page_of(answer, status=200):
    """The page of an answer of this status."""
    assert answer.status_code == status, answer.text
    return soup(answer)


def words(tag):
    """What a person reads of it, with single blanks."""
    return " ".join(tag.get_text(" ").split())


def main_words(answer):
    """What a person reads on the page, without head and menus."""
    return words(soup(answer).main)
