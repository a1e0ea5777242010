"""The catalogue of dates: each read exactly, in the one order of its file, or refused with a sentence; what was taken is told."""

from datetime import date, datetime, time

import pytest

from portal.domain.change_orders import ChangeOrder
from portal.intake import dates, files, table
from tests.import_files import text_of
from tests.intake.test_bad_files import ours
from tests.intake.workbooks import book_of

MARCH_4 = date(2026, 3, 4)
READ = {  # whatever the order of the file
    "2026-03-04": MARCH_4, "2026-3-4": MARCH_4, "2026/03/04": MARCH_4, "2026.03.04": MARCH_4, " 2026-03-04 ": MARCH_4,
    "2026-03-04 00:00:00": MARCH_4, "2026-03-04T00:00": MARCH_4, "2026-03-04T00:00:00.000": MARCH_4, "Mar 4, 2026": MARCH_4,
    "March 4 2026": MARCH_4, "4 Mar 2026": MARCH_4, "04-MAR-2026": MARCH_4, "4 march 2026": MARCH_4, "Sept 30, 2026": date(2026, 9, 30),
    "46085": MARCH_4, "36526": date(2000, 1, 1), "2024-02-29": date(2024, 2, 29), "2000-02-29": date(2000, 2, 29),
    "2000-01-01": date(2000, 1, 1), "2099-12-31": date(2099, 12, 31), "2036-11-23": date(2036, 11, 23), "05/05/2026": date(2026, 5, 5),
}  # fmt: skip
NO_DAY = "is not a day of the calendar."
TOO_FAR = "cannot be the date of a change order; it has to be from 2000 to 2099."
TWO_DIGITS = "has a year of two digits. Write four."
NO_DATE = "is not a date. Write it like 2026-11-30."
REFUSED = {
    "0000-00-00": NO_DAY, "0001-01-01": TOO_FAR, "9999-12-31": TOO_FAR, "1999-12-31": TOO_FAR, "2100-01-01": TOO_FAR, "2025-02-29": NO_DAY,
    "2100-02-29": NO_DAY, "2026-04-31": NO_DAY, "2026-13-01": NO_DAY, "2026-00-10": NO_DAY, "2026-10-00": NO_DAY, "31/31/2026": NO_DAY,
    "13/13/2026": NO_DAY, "0/0/2026": NO_DAY, "Feb 29, 2025": NO_DAY, "29 Feb 2025": NO_DAY,
    "3/4/26": TWO_DIGITS, "03-04-26": TWO_DIGITS, "4-Mar-26": TWO_DIGITS, "26-03-04": TWO_DIGITS,
    "2026-03-04T12:00:00": NO_DATE, "2026-03-04T00:00:00Z": NO_DATE, "2026-03-04T00:00:00-06:00": NO_DATE, "2016-12-31T23:59:60Z": NO_DATE,
    "2026-03-08 02:30": NO_DATE, "2026-11-01 01:30": NO_DATE, "2026-03-04 00:00:01": NO_DATE,
    "0": NO_DATE, "-1": NO_DATE, "60": NO_DATE, "1": NO_DATE, "10000": TOO_FAR, "99999": TOO_FAR, "46085.5": NO_DATE,
    "1772582400": NO_DATE, "2147483648": NO_DATE, "1970-01-01": TOO_FAR, "20260304": NO_DATE, "2026-W10-3": NO_DATE, "2026-063": NO_DATE,
    "03/2026": NO_DATE, "2026": NO_DATE, "March 2026": NO_DATE, "3/4-2026": NO_DATE, "03/04/2026/1": NO_DATE, "Foo 4, 2026": NO_DATE,
    "٢٠٢٦-٠٣-٠٤": NO_DATE, "２０２６-03-04": NO_DATE, "2026–03–04": NO_DATE, "today": NO_DATE,
    "null": NO_DATE, "NaN": NO_DATE, "=TODAY()": NO_DATE,
    "2026-03-04; DROP": NO_DATE, "2026-03-04\u200b": NO_DATE, "x" * 1000: NO_DATE,
}  # fmt: skip


def read(*written, **more):
    rows = [{"cco_number": f"{number:03}", "date": text} for number, text in enumerate(written, 1)]
    return files.understand(text_of(*rows, **more).encode(), "orders.csv")


def days_of(reading):
    assert not reading.problems, list(map(str, reading.problems))
    return [entry.draft.dated for entry in reading.entries]


@pytest.mark.parametrize("order", [True, False], ids=["day first", "month first"])
@pytest.mark.parametrize(("written", "day"), READ.items())
def test_a_date_that_reads_in_one_way_only_is_read_exactly(written, day, order):
    assert dates.Style(order).read(written) == day


@pytest.mark.parametrize("order", [True, False], ids=["day first", "month first"])
@pytest.mark.parametrize(("written", "sentence"), REFUSED.items(), ids=[text[:30] for text in REFUSED])
def test_anything_else_is_refused_with_a_sentence(written, sentence, order):
    with pytest.raises(ValueError, match=r"\A“") as refused:
        dates.Style(order).read(written)

    assert str(refused.value).endswith(sentence)


@pytest.mark.parametrize("written", ["2025-02-29", "3/4/26", "2026-03-04T12:00:00", "60", "9999-12-31"])
def test_a_file_with_such_a_date_is_refused_with_row_and_column(written):
    (problem,) = read("2026-03-04", written).problems

    assert (problem.where, problem.field, problem.reason) == ("line 3", "date", f"“{written}” {REFUSED[written]}")


@pytest.mark.parametrize("mark", ["/", "-"])
def test_one_date_that_shows_the_order_decides_for_the_whole_file(mark):
    first, second, third = days_of(read(f"03{mark}04{mark}2026", f"12{mark}31{mark}2026", f"3{mark}4{mark}2026"))
    assert (first, second, third) == (MARCH_4, date(2026, 12, 31), MARCH_4)

    first, second = days_of(read(f"04{mark}03{mark}2026", f"31{mark}12{mark}2026"))
    assert (first, second) == (MARCH_4, date(2026, 12, 31))


def test_dates_with_points_have_the_day_first():
    assert days_of(read("04.03.2026", "4.3.2026")) == [MARCH_4, MARCH_4]


def test_where_nothing_shows_the_order_the_month_is_first_and_the_preview_says_so():
    reading = read("03/04/2026", "03/04/2026")

    assert days_of(reading) == [MARCH_4, MARCH_4]
    assert reading.notes == [
        "Dates are read with the month first: “03/04/2026” at line 2 is March 4, 2026. "
        "No date of the file shows whether the day comes first; if it does, write 2026-11-30."
    ]


@pytest.mark.parametrize(
    ("written", "note"),
    [
        (("2026-03-04", "03/13/2026"), "Dates are read with the month first: “03/13/2026” at line 3 is March 13, 2026."),
        (("04/03/2026", "13/03/2026"), "Dates are read with the day first: “04/03/2026” at line 2 is March 4, 2026."),
        (("46085",), "Dates are read so: “46085” at line 2 is March 4, 2026."),
        (("4 Mar 2026",), "Dates are read so: “4 Mar 2026” at line 2 is March 4, 2026."),
    ],
)
def test_the_order_that_was_taken_is_told_by_an_example(written, note):
    assert read(*written).notes == [note]


def test_plain_days_need_no_word():
    assert read("2026-03-04", "").notes == []


def test_a_file_that_would_need_both_orders_is_refused_at_the_rows_of_the_rarer_one():
    (problem,) = read("12/31/2026", "11/30/2026", "31/12/2026").problems
    assert str(problem) == "line 4, date: “31/12/2026” has the day first; the file writes the month first."

    (problem,) = read("31.12.2026", "30.11.2026", "12/31/2026").problems
    assert str(problem) == "line 4, date: “12/31/2026” has the month first; the file writes the day first."


def test_one_of_each_is_no_majority_and_the_day_first_is_refused():
    (problem,) = read("31/12/2026", "12/31/2026").problems

    assert str(problem) == "line 2, date: “31/12/2026” has the day first; the file writes the month first."


def test_the_rows_of_one_change_order_may_leave_the_date_to_the_first():
    text = text_of({"date": "2026-03-04"}, {"date": "", "phase_code": "17"}, {"date": "2026-03-05", "phase_code": "18"})

    (problem,) = files.understand(text.encode(), "orders.csv").problems

    assert str(problem) == "line 4, date: “2026-03-05” contradicts “2026-03-04” at line 2."


def book_with(day, **options):
    """A workbook whose only change order has that in its column of dates."""

    def write(book, sheet):
        place = table.COLUMNS.index("date")
        if isinstance(day, date):
            sheet.write_datetime(1, place, datetime.combine(day, time(17, 45)), book.add_format({"num_format": "mm/dd/yyyy"}))
        else:
            sheet.write(1, place, day)

    return files.understand(book_of({}, fill=write, **options), "orders.xlsx")


@pytest.mark.parametrize("date_1904", [False, True], ids=["since 1900", "since 1904"])
def test_a_cell_that_excel_shows_as_a_date_is_that_day_in_both_of_its_systems(date_1904):
    reading = book_with(MARCH_4, date_1904=date_1904)

    assert days_of(reading) == [MARCH_4]
    assert reading.notes == []


@pytest.mark.parametrize(("serial", "date_1904"), [(46085, False), (44623, True)])
def test_a_day_number_counts_from_the_first_day_of_its_workbook(serial, date_1904):
    reading = book_with(serial, date_1904=date_1904)

    assert days_of(reading) == [MARCH_4]
    assert reading.notes == [f"Dates are read so: “{serial}” at row 2 is March 4, 2026."]


@pytest.mark.parametrize(("serial", "sentence"), [(60, NO_DATE), (46085.5, NO_DATE), (-1, NO_DATE), (2**31, NO_DATE), (10_000, TOO_FAR)])
def test_any_other_number_in_the_column_is_refused(serial, sentence):
    (problem,) = book_with(serial).problems

    assert (problem.where, problem.field) == ("row 2", "date")
    assert problem.reason.endswith(sentence)


def test_what_excel_made_a_date_of_outside_the_column_of_dates_is_still_refused():
    def write(book, sheet):
        sheet.write_datetime(1, table.COLUMNS.index("phase_code"), datetime(2026, 3, 4), book.add_format({"num_format": "d-mmm"}))  # noqa: DTZ001

    (problem,) = files.understand(book_of({}, fill=write), "orders.xlsx").problems

    assert str(problem).startswith("row 2, phase_code: holds a date (2026-03-04).")


@pytest.mark.parametrize("written", ["03/04/2026", "4 Mar 2026", "46085", "2026-03-04T00:00:00", " 2026-03-04 x"])
def test_json_takes_only_days_as_programs_write_them(written):
    (problem,) = files.understand(ours(date=written).encode(), "orders.json").problems

    assert (problem.where, problem.field) == ("change_orders[0]", "date")


def test_a_closed_period_refuses_no_date_for_it_is_not_the_accounting_date(command, csv_file, company):
    company.accounting_dates, company.period_from, company.period_to = True, date(2026, 11, 1), date(2026, 11, 30)
    company.save()

    assert command(csv_file({"date": "2019-05-31"})).exit_code == 0
    assert (ChangeOrder.get().dated, ChangeOrder.get().checks) == (date(2019, 5, 31), "clean")
