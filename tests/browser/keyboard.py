"""What a person presses, counted; focus is somewhere after each press."""

from playwright.sync_api import expect


class Keyboard:
    def __init__(self, page):
        self.page, self.count = page, 0

    def press(self, *keys):
        for key in keys:
            self.count += 1
            self.page.keyboard.press(key)

    def expect_focus(self, selector):
        expect(self.page.locator(selector)).to_be_focused()

    def expect_said(self, sentence):
        expect(self.page.locator("#say")).to_have_text(sentence)
