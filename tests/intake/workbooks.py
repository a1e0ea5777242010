"""Excel workbooks for tests: good ones as Excel writes them, and bad ones part by part."""

import io
import zipfile

import xlsxwriter

from portal.intake import table
from tests.import_files import ROW

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PARTS = {
    "[Content_Types].xml": "<Types/>",
    "xl/workbook.xml": f'<workbook {MAIN} xmlns:r="{RELATIONS}"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": "<Relationships>"
    f'<Relationship Id="r1" Type="{RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
    "xl/worksheets/sheet1.xml": f"<worksheet {MAIN}><sheetData/></worksheet>",
}


def book_of(*rows, columns=table.COLUMNS, fill=None, **options):
    """A workbook whose rows are ROW with these changes; `fill(book, sheet)` may add to it."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False} | options) as book:
        sheet = book.add_worksheet("Change orders")
        sheet.write_row(0, 0, columns)
        for number, row in enumerate(rows, 1):
            for place, name in enumerate(columns):
                if (value := (ROW | row).get(name)) is not None:
                    sheet.write(number, place, value)
        if fill:
            fill(book, sheet)
    return out.getvalue()


def parts(**changed):
    """A workbook out of its parts; `sheet="..."`, `workbook="..."` replace one, other names are added under xl/."""
    names = {"sheet": "xl/worksheets/sheet1.xml", "workbook": "xl/workbook.xml", "rels": "xl/_rels/workbook.xml.rels"}
    content = PARTS | _related(changed) | {names.get(name, f"xl/{name.replace('__', '.')}"): text for name, text in changed.items()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        for name, text in content.items():
            if text is not ...:
                book.writestr(name, text)
    return out.getvalue()


def _related(changed):
    """The workbook names its texts and styles, where it has some."""
    kinds = [kind for kind in ("sharedStrings", "styles") if f"{kind}__xml" in changed]
    more = "".join(f'<Relationship Id="{kind}" Type="{RELATIONS}/{kind}" Target="{kind}.xml"/>' for kind in kinds)
    name = "xl/_rels/workbook.xml.rels"
    return {name: PARTS[name].replace("</Relationships>", f"{more}</Relationships>")}


def sheet_of(*rows):
    """The XML of a sheet with these rows, each the XML of its cells."""
    inside = "".join(f'<row r="{number}">{cells}</row>' for number, cells in enumerate(rows, 1))
    return f"<worksheet {MAIN}><sheetData>{inside}</sheetData></worksheet>"


def text_cells(*texts):
    return "".join(f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in texts)
