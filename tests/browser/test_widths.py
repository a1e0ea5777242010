"""Every page fits its window, from the smallest phone to a wide desk: no page and no box on it has to be scrolled sideways."""

import pytest

from tests.attacks.conftest import ivy, orders, tom, toms_draft, town
from tests.browser.signing_in import sign_in
from tests.browser.test_policy import WHO, crawled, few_of_each, public

__all__ = ["ivy", "orders", "tom", "toms_draft", "town"]

WIDTHS = (320, 360, 480, 639, 640, 768, 900, 999, 1000, 1100, 1280, 1440)
# What sticks out: the page itself, or a box that would have to be scrolled sideways. What only screen readers get does not count.
STICKS_OUT = """() => {
    const isWide = (box) => box.clientWidth && box.scrollWidth > box.clientWidth + 1;
    const isSeen = (box) => box.checkVisibility() && getComputedStyle(box).display !== 'inline' && !box.closest('.hidden, svg');
    const boxes = [...document.querySelectorAll('main *')].filter((box) => isWide(box) && isSeen(box));
    const page = document.documentElement.scrollWidth > innerWidth ? ['the page'] : [];
    return [...page, ...boxes.map((box) => `${box.tagName.toLowerCase()}.${box.className} ${box.scrollWidth} > ${box.clientWidth}`)];
}"""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("who", ["nobody", *WHO])
def test_no_page_overflows_at_any_width(page, served, app, town, who):
    found = public(app, town) if who == "nobody" else list(few_of_each(app, crawled(app, town, who), WHO[who]))
    if who != "nobody":
        sign_in(page, served, town.people[who])
    wrong = []

    for address in found:
        page.goto(f"{served}{address}")
        page.evaluate("document.querySelectorAll('main .asks').forEach((question) => question.open = true)")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            wrong += [f"{address} at {width}: {what}" for what in page.evaluate(STICKS_OUT)]

    assert found and wrong == []
