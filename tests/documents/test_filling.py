"""A document says the same as docx and as PDF, looks the same on every machine, and lets nobody write into it."""

import io
import sys
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pypdf
import pypdfium2
import pytest

from services.documents.filling import Templates, filled
from services.documents.reading import Block, blocks_of
from services.documents.setting import set_as_pdf
from workflows.kernel.calendar import CHINA

NUMBER = "620199001001202603000001-INTAKE_RECEIPT-1"
AT = datetime(2026, 3, 2, 9, 0, tzinfo=CHINA)
SCAN = f"https://example.org/p/documents/{NUMBER}?check_code=ABCD2345"
FACTS: dict[str, Any] = {
    "paper": {
        "title": "受理回执",
        "number": NUMBER,
        "issued_on": "2026年3月2日",
        "issued_at": "2026年3月2日 09:00",
        "check_code": "ABCD2345",
        "address": SCAN,
    },
    "case": {"number": "620199001001202603000001", "title": "3号楼下水道堵塞，龘䶮老师反映"},
    "place": {"community": "柳荫社区"},
    "data": {"place_text": "三号楼\n东侧"},
    "clocks": {"TRIAGE": {"due": "2026年3月3日 18:00"}},
    "policy": {"pack": "lanzhou_2021", "version": 1},
    "raw": {"event": "registered"},
}


def words(blocks: list[Block]) -> str:
    """The text of blocks without any space, cell by cell."""
    found = []
    for block in blocks:
        if block["kind"] == "table":
            found += [words(cell["blocks"]) for row in block["rows"] for cell in row]
        else:
            found += [run["text"] for run in block["runs"] if "text" in run]
    return "".join("".join(found).split())


def printed(pdf: bytes) -> str:
    """The text of a PDF without any space and without the number of its page."""
    return "".join("".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages).split())


@pytest.fixture(scope="module")
def document() -> bytes:
    return filled(Templates().find("lanzhou_2021", "INTAKE_RECEIPT"), FACTS, scan=SCAN)


@pytest.fixture(scope="module")
def pdf(document: bytes) -> bytes:
    return set_as_pdf(document, title="受理回执", at=AT)


def test_the_pdf_says_what_the_docx_says(document: bytes, pdf: bytes) -> None:
    blocks, foot = blocks_of(document)

    assert printed(pdf).removesuffix("1/1") == words(blocks) + words(foot)


def test_facts_stand_in_it_and_what_there_is_not_leaves_no_row(document: bytes) -> None:
    text = words(blocks_of(document)[0])

    assert "反映事项3号楼下水道堵塞，龘䶮老师反映" in text
    assert "受理时限2026年3月3日18:00" in text
    assert "核验码：ABCD2345" in text
    assert "首次联系时限" not in text
    assert "{" not in text


def test_the_same_facts_give_the_same_bytes(document: bytes, pdf: bytes) -> None:
    again = filled(Templates().find("lanzhou_2021", "INTAKE_RECEIPT"), FACTS, scan=SCAN)

    assert again == document
    assert set_as_pdf(again, title="受理回执", at=AT) == pdf


def test_every_font_of_the_pdf_is_inside_it(pdf: bytes) -> None:
    page = pypdf.PdfReader(io.BytesIO(pdf)).pages[0]
    fonts = [one.get_object() for one in page["/Resources"]["/Font"].values()]  # type: ignore[index]
    described = [font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object() for font in fonts]

    assert {one["/FontName"].partition("+")[2].partition("-Identity")[0] for one in described} == {
        "NotoSansSC-Regular",
        "NotoSerifSC-Regular",
    }
    assert all("/FontFile3" in one for one in described)


def test_the_page_is_not_blank_where_the_title_and_the_code_are(pdf: bytes) -> None:
    image = pypdfium2.PdfDocument(pdf)[0].render(scale=1).to_pil().convert("L")
    width, height = image.size

    def ink(box: tuple[float, float, float, float]) -> float:
        left, top, right, bottom = box
        part = image.crop((int(left * width), int(top * height), int(right * width), int(bottom * height)))
        dark: int = sum(part.histogram()[:128])
        pixels: int = part.size[0] * part.size[1]
        return dark / pixels

    assert ink((0.3, 0.08, 0.7, 0.14)) > 0.01
    assert ink((0, 0, 1, 0.05)) == 0
    assert 0.02 < ink((0, 0, 1, 1)) < 0.3


def test_it_is_made_to_be_kept(pdf: bytes) -> None:
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    xmp = reader.xmp_metadata

    assert xmp is not None
    assert xmp.stream.get_data().find(b"pdfaid:part>2<") > 0
    assert reader.metadata is not None
    assert reader.metadata.title == "受理回执"


@pytest.mark.parametrize(
    "hostile",
    [
        "{{ paper.number.__class__ }}",
        "</w:t></w:r><w:r><w:t>换行",
        "#panic() $x$ *粗* `码` \\ @x",
        "{% for x in range(9) %}x{% endfor %}",
        "a & b < c > d \" '",
    ],
)
def test_what_people_wrote_is_never_read_as_markup(hostile: str) -> None:
    facts = {**FACTS, "case": {**FACTS["case"], "title": hostile}}

    document = filled(Templates().find("lanzhou_2021", "INTAKE_RECEIPT"), facts, scan=SCAN)

    wanted = "".join(hostile.split())
    assert wanted in words(blocks_of(document)[0])
    assert wanted in printed(set_as_pdf(document, title="受理回执", at=AT))


def test_a_template_reaches_nothing_but_its_facts() -> None:
    template = Templates().find("lanzhou_2021", "INTAKE_RECEIPT")
    with zipfile.ZipFile(io.BytesIO(template)) as given:
        parts = {name: given.read(name) for name in given.namelist()}
    parts["word/document.xml"] = parts["word/document.xml"].replace(
        b"{{ paper.number }}", b"[{{ paper.title.__class__.__mro__ }}]"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, content in parts.items():
            made.writestr(name, content)

    text = words(blocks_of(filled(out.getvalue(), FACTS, scan=SCAN))[0])

    assert "[]" in text
    assert "class" not in text


def test_a_city_puts_its_own_template_in_the_place_of_ours(tmp_path: Path) -> None:
    own = tmp_path / "lanzhou_2021"
    own.mkdir()
    (own / "INTAKE_RECEIPT.docx").write_bytes(Templates().find("x", "RETURN_SLIP"))

    templates = Templates(tmp_path)

    assert "退单" in words(blocks_of(templates.find("lanzhou_2021", "INTAKE_RECEIPT"))[0])
    assert "受理回执" in words(blocks_of(templates.find("default_2026", "INTAKE_RECEIPT"))[0])


def test_the_base_templates_are_those_that_the_script_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(__file__).parents[2]
    monkeypatch.syspath_prepend(str(root / ".ci"))
    import templates as script  # type: ignore[import-not-found]

    script.main(tmp_path)
    sys.modules.pop("templates")

    made = {path.name: words(blocks_of(path.read_bytes())[0]) for path in tmp_path.glob("*.docx")}
    kept = {path.name: words(blocks_of(path.read_bytes())[0]) for path in script.FOLDER.glob("*.docx")}
    assert made == kept
