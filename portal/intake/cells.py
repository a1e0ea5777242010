"""What a cell of a table holds where that is not simply a text."""


class Unreadable(str):
    """A cell that holds neither text nor number; its text is what is shown of it."""

    reason: str

    def __new__(cls, shown: str, reason: str) -> "Unreadable":
        made = super().__new__(cls, shown)
        made.reason = reason
        return made


class Dated(Unreadable):
    """A cell that Excel shows as a date; its text is the day, 2026-11-30. Only a column of dates can use it."""


class Number(str):
    """A number; its text is what the cell holds, in plain digits.

    shown     what a person sees of it
    exact     whether that is the number, digit by digit
    colored   whether only a color tells that it is negative
    """

    shown: str
    exact: bool
    colored: bool

    def __new__(cls, held: str, shown: str, exact: bool, colored: bool = False) -> "Number":
        made = super().__new__(cls, held)
        made.shown, made.exact, made.colored = shown, exact, colored
        return made
