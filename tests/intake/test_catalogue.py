"""The catalogues of bad input for files: money, text, and the form of the file itself. Read exactly, or refused with a sentence."""

import json
import unicodedata
from decimal import Decimal

import pytest

from portal.domain.change_orders import ChangeOrder, load
from portal.domain.commitments import Vendor
from portal.domain.imports.entries import BadFile, vendor_key
from portal.domain.rules import checks
from portal.intake import files, table
from tests import bad_input
from tests.import_files import ROW, text_of
from tests.intake.test_bad_files import ours
from tests.intake.workbooks import book_of

MONEY_READ = {
    "0": "0.00", "-0": "0.00", "-0.00": "0.00", "5": "5.00", " 5 ": "5.00", "0.5": "0.50", "1,000.00": "1000.00", "1.000,00": "1000.00",
    "1.234.567,8": "1234567.80", "5,5": "5.50", "1,234": "1234.00", "1,234,567": "1234567.00", "(5.00)": "-5.00", "($1,234.50)": "-1234.50",
    "5-": "-5.00", "−5": "-5.00", "$5": "5.00", "-$5": "-5.00", "$-5": "-5.00", "$ 1,234.50": "1234.50", "USD 5": "5.00", "5 usd": "5.00",
    "US$5.10": "5.10", "9999999999.99": "9999999999.99", "9,999,999,999.99": "9999999999.99", "\u00a05": "5.00",
}  # fmt: skip
MONEY_REFUSED = [
    "+5", "5.", ".5", "1e3", "1E+2", "1_000", "1'000", "1 000", "٣", "５", "NaN", "sNaN", "Infinity", "-inf", "1e-30", "0.005", "0.015",
    "2.675", "999999999999.99", "10000000000", "1000000000000.00", "1" + "0" * 30, "1." + "1" * 28, "--5", "(-5)", "USD", "EUR", "€",
    "5 XXX", "5 € €", "€5€",
    "-(5)", "5)", "(5", "1,00,000", "1,2345", "12,34,567.00", "$", "-", "()", "null", "None", "true", "0x10", "1/2", "=1+1", "5%", "$$5",
]  # fmt: skip
IN_CURRENCIES = {
    "5 €": "EUR", "€5": "EUR", "-€5.00": "EUR", "(€5)": "EUR", "5,00 €": "EUR", "£5": "GBP", "¥5": "JPY", "EUR 5": "EUR", "5 eur": "EUR",
    "C$5": "CAD", "CA$ 5": "CAD", "CAD 5": "CAD", "5CAD": "CAD", "A$5": "AUD", "NZ$5": "NZD", "5.00 CHF": "CHF", "US$5": "USD",
    "USD 5": "USD",
    "5 usd": "USD", "$5": "", "5 $": "", "5": "",
}  # fmt: skip
NOT_IN_JSON = ["1,000.00", "(5.00)", "5-", "1.000,00", *(written for written in IN_CURRENCIES if written != "5"), *MONEY_REFUSED]


def read(text):
    return files.understand(text if isinstance(text, bytes) else text.encode(), "orders.csv")


@pytest.mark.parametrize(("written", "amount"), MONEY_READ.items())
def test_an_amount_that_people_write_is_read_exactly(written, amount):
    reading = read(text_of({"amount": written, "original_amount": ""}))

    assert [str(line.amount) for entry in reading.entries for line in entry.draft.lines] == [amount]
    assert not reading.problems


@pytest.mark.parametrize("column", ["amount", "total", "original_amount"])
@pytest.mark.parametrize("written", MONEY_REFUSED)
def test_any_other_amount_is_refused_and_never_rounded(written, column):
    (problem,) = read(text_of({column: written})).problems

    assert (problem.where, problem.field) == ("line 2", column)
    assert any(words in problem.reason for words in ("is not an amount", "has a decimal comma"))


@pytest.mark.parametrize("written", NOT_IN_JSON)
def test_json_takes_only_plain_amounts(written):
    (problem,) = read(ours(lines=[{"amount": written}])).problems

    assert problem.field == "lines[0].amount"


@pytest.mark.parametrize("written", ["1e3", "1E2", "0.005", "9007199254740993.5", "1e400", "123456789012345678901234567890"])
def test_a_json_number_that_is_no_plain_amount_is_refused(written):
    (problem,) = read(ours(lines=[{"amount": 4711}]).replace("4711", written)).problems

    assert problem.field == "lines[0].amount"


def test_how_amounts_are_written_is_told_by_the_first_that_needed_it():
    assert read(text_of({"amount": "5.00"}, {"phase_code": "2", "amount": "($1,234.50)"})).notes == [
        "Amounts are read with a decimal point: “($1,234.50)” at line 3 is -1234.50."
    ]
    assert read(text_of({"amount": "1.234,50", "original_amount": ""})).notes == [
        "Amounts are read with a decimal comma: “1.234,50” at line 2 is 1234.50."
    ]
    assert read(text_of({"amount": "1,234"})).notes[0].endswith("“1,234” at line 2 is 1234.")
    assert read(text_of({})).notes == []


def test_one_file_has_one_way_to_write_amounts_and_the_odd_ones_are_refused():
    rows = [{"cco_number": str(number), "amount": "1.234,50", "original_amount": ""} for number in range(5)]

    (problem,) = read(text_of(*rows, {"cco_number": "9", "amount": "1,234.50", "original_amount": ""})).problems

    assert str(problem) == "line 7, amount: “1,234.50” has a decimal point; the file writes amounts with a decimal comma."


def test_a_hundred_thousand_amounts_add_up_exactly():
    rows = "".join(f"24-117,V,SC-1,sc,{number // 500},T,Approved,{number},S,0.01\n" for number in range(100_000))
    header = "job_number,vendor_name,commitment_number,commitment_kind,cco_number,title,status,phase_code,cost_type,amount\n"

    reading = read(header + rows)

    assert sum(entry.draft.total for entry in reading.entries) == Decimal("1000.00")


@pytest.mark.parametrize("written", ["USD", "usd", "$", "", " USD "])
def test_the_companys_currency_may_be_named(written):
    (entry,) = read(text_of({"currency": written})).entries

    assert entry.draft.currency in ("", "USD")


@pytest.mark.parametrize(("written", "code"), [("EUR", "EUR"), ("cad", "CAD"), ("€", "EUR"), ("US$", "USD"), ("C$", "CAD")])
def test_another_currency_is_kept_for_the_checks_to_judge(written, code):
    (entry,) = read(text_of({"currency": written})).entries

    assert entry.draft.currency == code


@pytest.mark.parametrize("written", ["dollars?", "0", "US", "EURO", "ＥＵＲ", "U5D"])
def test_what_is_no_currency_is_refused(written):
    (problem,) = read(text_of({"currency": written})).problems

    assert str(problem) == f"line 2, currency: “{written}” is not a currency. Write its code of three letters, such as USD."


@pytest.mark.parametrize("column", ["amount", "total", "tax", "original_amount"])
@pytest.mark.parametrize(("written", "code"), IN_CURRENCIES.items())
def test_what_stands_beside_an_amount_names_the_currency_of_the_change_order(written, code, column):
    reading = read(text_of({"amount": "5", "original_amount": ""} | {column: written}))

    assert not reading.problems
    assert (reading.entries[0].draft.currency, abs(reading.entries[0].draft.total)) == (code, Decimal(5))


def test_the_currency_beside_an_amount_is_told_with_it():
    assert read(text_of({"amount": "€1,234.50"})).notes == ["Amounts are read with a decimal point: “€1,234.50” at line 2 is 1234.50 EUR."]


@pytest.mark.parametrize(
    ("stated", "first", "second", "code"),
    [
        ("CAD", "$5", "C$6", "CAD"), ("", "$5", "USD 6", "USD"), ("$", "5", "CAD 6", "CAD"), ("eur", "€5", "6 EUR", "EUR"),
        ("USD", "US$5", "$6", "USD"), ("EUR", "5", "6", "EUR"),
    ],
)  # fmt: skip
def test_ways_to_write_one_currency_agree(stated, first, second, code):
    rows = {"currency": stated, "amount": first, "original_amount": ""}, {"amount": second, "original_amount": "", "phase_code": "17"}

    (entry,) = read(text_of(*rows)).entries

    assert entry.draft.currency == code


@pytest.mark.parametrize(
    ("stated", "first", "second", "sentence"),
    [
        ("USD", "5", "€6", "line 3, currency: “€6” is in another currency than “USD” at line 2."),
        ("", "£5", "€6", "line 3, currency: “€6” is in another currency than “£5” at line 2."),
        ("", "$5", "€6", "line 3, currency: “€6” is in another currency than “$5” at line 2."),
        ("", "€5", "$6", "line 3, currency: “$6” is in another currency than “€5” at line 2."),
        ("CAD", "5", "US$6", "line 3, currency: “US$6” is in another currency than “CAD” at line 2."),
    ],
)
def test_two_currencies_in_one_change_order_are_refused(stated, first, second, sentence):
    rows = {"currency": stated, "amount": first, "original_amount": ""}, {"amount": second, "original_amount": "", "phase_code": "17"}

    assert [str(problem) for problem in read(text_of(*rows)).problems] == [sentence]


KEPT = {
    "emoji": "🏗️ 👷🏽‍♀️", "markup": "<script>alert(1)</script>", "an attribute": "\" onload='x", "a template": "{{7*7}} ${7*7} %n",
    "CDATA": "]]> &xxe; --", "a quote": "'; DROP TABLE x", "a formula": "=cmd|' /C calc'!A0", "an at": "@SUM(1)", "plus": "+1",
    "minus": "-1", "wide": "＝1+1", "null": "null", "None": "None", "NaN": "NaN", "true": "true", "Cyrillic": "Vоlt", "dotless": "ISTAN ı",
    "private use": "\ue000", "rtl": "a\u202eb", "zalgo": "x" + "\u0301" * 400, "longest": "x" * 500, "zero width": "a\u200bb",
}  # fmt: skip


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT.keys())
@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_text_is_kept_as_it_is(text, form, database, company, command, tmp_path):
    path = tmp_path / "orders"
    path.write_text(text_of({"title": text}) if form == "csv" else ours(title=text), encoding="utf-8")

    assert command(path).exit_code == 0
    assert ChangeOrder.get().title == text


REFUSED = {
    "NUL": "a\0b", "a bell": "a\ab", "an escape": "a\x1b[31mb", "a line": "a\nb", "a tab": "a\tb", "U+2028": "a\u2028b", "back": "a\bb",
    "right to left": "a\u202eb", "private use": "a\ue000b", "too long": "x" * 101,
    "a million": "x" * 1_000_000,
}  # fmt: skip


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_a_name_takes_no_control_characters_and_no_more_than_fits(text):
    (problem,) = read(json.dumps({"change_orders": [json.loads(ours(vendor={"name": text}))["change_orders"][0]]})).problems

    assert problem.field == "vendor.name"


@pytest.mark.parametrize(("text", "name"), [("Volt\u00a0Co", "Volt Co"), ("Volt\u200bCo", "VoltCo"), ("\ufeffVolt Co\u3000", "Volt Co")])
@pytest.mark.parametrize("form", [lambda name: text_of({"vendor_name": name}), lambda name: ours(vendor={"name": name})])
def test_in_a_name_a_blank_of_any_kind_is_a_blank_and_what_has_no_width_is_dropped(form, text, name):
    assert [entry.vendor_name for entry in read(form(text)).entries] == [name]


def test_the_same_letters_in_two_normal_forms_are_one_text(command, csv_file):
    command(csv_file({"vendor_name": "Peña"}))
    command(csv_file({"vendor_name": "Pen\u0303a", "cco_number": "002"}))

    assert [vendor.name for vendor in Vendor.select()] == ["Peña"]


def test_a_vendor_name_with_a_look_alike_letter_is_another_vendor():
    assert vendor_key("Volt") != vendor_key("Vоlt")  # the second with a Cyrillic letter
    assert vendor_key(" VOLT  electric") == vendor_key("Volt Electric")


@pytest.mark.parametrize("blank", [" ", "\u00a0", "\u2003 "])
def test_what_is_only_blank_is_missing(blank):
    (problem,) = read(text_of({"vendor_name": blank})).problems

    assert str(problem) == "line 2, vendor_name: is missing."


@pytest.mark.parametrize("text", bad_input.KEPT.values(), ids=bad_input.KEPT.keys())
@pytest.mark.parametrize("form", ["csv", "json", "xlsx"])
def test_a_description_says_the_same_whatever_the_file_is(text, form):
    content = {
        "csv": lambda: text_of({"description": text}),
        "json": lambda: ours(description=text),
        "xlsx": lambda: book_of({"description": text}),
    }

    reading = read(content[form]())

    assert not reading.problems
    assert reading.entries[0].draft.description == unicodedata.normalize("NFC", text).strip()


@pytest.mark.parametrize("text", bad_input.CONTROL.values(), ids=bad_input.CONTROL.keys())
def test_control_characters_in_a_description_are_refused_or_keep_it_from_being_sent(text, command, tmp_path):
    path = tmp_path / "orders.json"
    path.write_text(ours(description=text), encoding="utf-8")

    result = command(path)

    assert (result.exit_code, "cannot be stored" in result.stderr) == ((2, True) if text == "a\0b" else (0, False))
    told = [finding for order in ChangeOrder.select() for finding in checks.at_send(load(order.id)) if finding.rule == 16]
    assert [(finding.field, finding.blocking) for finding in told] == ([] if text == "a\0b" else [("description", True)])


@pytest.mark.parametrize("text", bad_input.LONE.values(), ids=bad_input.LONE.keys())
def test_half_a_character_is_refused(text):
    (problem,) = read(ours(description=text)).problems

    assert "contains a character that cannot be stored" in problem.reason


@pytest.mark.parametrize("letter", bad_input.LENGTHS.values(), ids=bad_input.LENGTHS.keys())
def test_lengths_are_counted_in_characters(letter):
    assert not read(ours(title=letter * 500)).problems
    (problem,) = read(ours(title=letter * 501)).problems

    assert (problem.field, problem.reason) == ("title", "has 501 characters; 500 fit.")


READABLE = {
    "UTF-16 little": text_of({}).encode("utf-16"),
    "UTF-16 big": b"\xfe\xff" + text_of({}).encode("utf-16-be"),
    "UTF-32 little": b"\xff\xfe\0\0" + text_of({}).encode("utf-32-le"),
    "UTF-32 big": b"\0\0\xfe\xff" + text_of({}).encode("utf-32-be"),
    "columns in another order": text_of({}, columns=list(reversed(table.COLUMNS))),
    "Windows-1252": text_of({"job_name": "“Peña” – €5 ™"}).encode("cp1252"),
    "UTF-8 with a BOM": text_of({}).encode("utf-8-sig"),
    "Latin-1": text_of({"job_name": "Peña"}).encode("latin-1"),
    "mixed line ends": "\r\n".join(text_of({}, {"cco_number": "2"}, {"cco_number": "3"}).split("\n", 2)),
    "old line ends": text_of({}).replace("\n", "\r"),
    "no last line end": text_of({}).rstrip(),
    "blank lines between": text_of({}, {"cco_number": "2"}).replace("\n", "\n\n\n"),
    "blank lines first": "\n\n" + text_of({}),
    "semicolons": text_of({}, delimiter=";"),
    "tabs": text_of({}, delimiter="\t"),
    "bars": text_of({}, delimiter="|"),
    "headings in capitals": text_of({}).replace("vendor_name", " VENDOR  Name "),
    "a line inside quotes": text_of({"description": 'He said "no"\r\nand left'}),
    "blank columns at the end": "\n".join(line + ",,," for line in text_of({}).splitlines()),
    "what others call it": text_of({}).replace("job_number", "Project #").replace("phase_code", "Cost Code").replace("unit,", "UOM,", 1),
}


@pytest.mark.parametrize("content", READABLE.values(), ids=READABLE.keys())
def test_a_file_in_another_form_is_read_as_well(content):
    reading = read(content)

    assert not reading.problems
    assert reading.entries[0].draft.lines[0].amount == Decimal("4250.00")
    assert reading.entries[0].draft.lines[0].unit == "LS"


def test_what_the_file_calls_a_column_is_told_and_used_for_its_problems():
    text = text_of({"amount": "x"}).replace("amount\n", "Line Amount ($)\n", 1).replace("job_number", "Project No.")

    reading = read(text)

    assert reading.renamed == {"Project No.": "job_number", "Line Amount ($)": "amount"}
    assert str(reading.problems[0]).startswith("line 2, Line Amount ($): “x” is not an amount.")


def test_a_million_rows_are_refused_before_they_are_all_read():
    line = "24-117,V,SC-1,sc,1,T,Approved,1,S,1\n"
    text = "job_number,vendor_name,commitment_number,commitment_kind,cco_number,title,status,phase_code,cost_type,amount\n"

    with pytest.raises(BadFile, match="more than 100,000 line items"):
        read(text + line * 110_000)
    with pytest.raises(BadFile, match="larger than 10 MB"):
        read(text + line * 1_000_000)


def test_a_link_is_followed_to_the_file_and_a_loop_is_refused(command, tmp_path, csv_file):
    (tmp_path / "link.csv").symlink_to(csv_file({}))
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")

    assert command(tmp_path / "link.csv").exit_code == 0
    assert command(tmp_path / "loop.csv").exit_code == 2


def test_a_row_of_a_million_cells_is_one_bad_row():
    (problem,) = read(text_of(ROW).rstrip("\n") + ",x" * 1_000_000).problems

    assert str(problem) == "line 2: There are 1,000,028 cells but 28 columns. Is a quote missing?"
