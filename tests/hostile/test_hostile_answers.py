"""Hostile answers, reasons and prompts do nothing on any surface: one table of payloads, one test a surface.

The payloads are in conftest.py. Each is answered, thought, asked, quoted by a judge as reason, flag, label, signal and
evidence, and thrown by a judge that breaks.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import openpyxl
import pytest
from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from conftest import HostileRun

pytestmark = [pytest.mark.slow, pytest.mark.long]

TRIALS = 23 * 4 - 2
LONGEST_LINE = 5_000
OWN_HTML = re.compile(r"(<!-- -->|</?details>|<details><summary>[\w, %-]+</summary>)\s*")


def bad_characters(text: str) -> set[str]:
    """Those that move a cursor, hide, reorder or cannot be written; line ends are the surface's own."""
    wrong = {one for one in set(text) - {"\n"} if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Co", "Cn")}
    return wrong - {"\ufeff"} if text.startswith("\ufeff") else wrong


def test_the_run_ends_as_it_should(hostile: HostileRun) -> None:
    """Failing probes and errors, no crash, and every trial on record."""
    assert hostile.status == 1
    assert b"\nINTERNALERROR" not in hostile.terminal
    assert b"Traceback" not in hostile.terminal + hostile.said["pytest errors"]
    assert len(hostile.text("results.jsonl").splitlines()) == TRIALS
    assert len(set(re.findall(rb"suites/hostile/\w+\.yaml::[\w-]+", hostile.terminal))) == TRIALS


def test_terminal(hostile: HostileRun) -> None:
    """Plain lines of a decent length; none is a build server's command but our own annotations."""
    lines = hostile.terminal.decode("utf-8").replace("\r\n", "\n").split("\n")
    commands = [line for line in lines if line.lstrip().startswith("::")]

    assert bad_characters("\n".join(lines)) == set()
    assert max(map(len, lines)) < LONGEST_LINE
    assert len("".join(lines)) < 200_000
    assert len(commands) == 10
    assert all(re.match(r"::error (file=suites/hostile/error\.yaml,line=\d+,)?title=", line) for line in commands)
    assert not [line for line in lines if "##[" in line or "##vso" in line]
    assert not [line for line in lines if re.match(r"FAILED suites/x\.yaml::y - hit$|=+ 99 passed|PASSED$", line)]


def test_what_the_verbs_print(hostile: HostileRun) -> None:
    """report, review, list, compare, judge and check."""
    for verb, said in hostile.said.items():
        assert bad_characters(said.decode("utf-8")) == set(), verb


def test_junit(hostile: HostileRun) -> None:
    """Well-formed XML of one case a trial, in which pytest had nothing to replace (``#x1B``), and no megabyte."""
    file = hostile.root / "junit.xml"
    root = ET.parse(file).getroot()
    texts = [text for node in root.iter() for text in (*node.attrib.values(), node.text or "", node.tail or "")]

    assert len(list(root.iter("testcase"))) == TRIALS
    assert {node.tag for node in root.iter()} == {
        "testsuites", "testsuite", "properties", "property", "testcase", "failure", "error", "skipped", "system-out",
        "system-err",
    }  # fmt: skip
    for text in texts:
        assert bad_characters(text) == set()
        assert not re.search(r"#x[0-9A-F]{2}", text.replace("&#x", ""))
    assert file.stat().st_size < 1_000_000


def test_results_keep_the_texts(hostile: HostileRun, payloads: Mapping[str, str]) -> None:
    """One line of ASCII JSON a trial, and every answer in it as the model gave it."""
    lines = hostile.text("results.jsonl").split("\n")
    trials = [json.loads(line) for line in lines if line]
    answers = {trial["probe"]: trial["answers"][-1]["text"] for trial in trials}

    assert all(line.isascii() for line in lines)
    for name, payload in payloads.items():
        assert answers[f"fail-{name.replace(' ', '-')}"].endswith(payload), name


def inline(tokens: list[Any]) -> Iterator[Any]:
    for token in tokens:
        yield token
        yield from inline(token.children or [])


@pytest.mark.parametrize("name", ["summary.md", "card.md", "step summary"])
def test_markdown(hostile: HostileRun, name: str) -> None:
    """Rendered as GitHub does it there is no link, image, mention, HTML or code of a model's."""
    markdown = MarkdownIt("commonmark", {"html": True})
    text = hostile.step_summary.read_text(encoding="utf-8") if name == "step summary" else hostile.text(name)
    body = text.partition("\n---\n")[2] if name == "card.md" else text
    tokens = list(inline(markdown.enable(["table", "strikethrough"]).parse(body)))
    html = [token.content for token in tokens if token.type in ("html_block", "html_inline")]
    code = [token.content for token in tokens if token.type in ("fence", "code_block", "code_inline")]
    # GitHub links these in a second pass, over what is between the marks.
    loose = re.sub(r"<!-- -->", "\0", body)

    assert bad_characters(text) == set()
    assert [found for found in html if not OWN_HTML.fullmatch(found)] == []
    assert [token.attrs for token in tokens if token.type in ("link_open", "image")] == []
    assert not [found for found in code if "evil" in found or "fence" in found.splitlines()]
    assert not re.search(r"://|www\.|mailto:|xmpp:", re.sub(r"```.*?```", "", loose, flags=re.DOTALL))
    assert not re.search(
        r"(?<![\w`/])[@#]\w", re.sub(r"^#+ |&#\d+;|```.*?```", "", loose, flags=re.DOTALL | re.MULTILINE)
    )
    assert len(text) < 200_000


def test_the_cards_metadata(hostile: HostileRun) -> None:
    """The hub's block is YAML of plain values."""
    import yaml

    head = hostile.text("card.md").split("---\n")[1]

    assert bad_characters(head) == set()
    assert isinstance(yaml.safe_load(head), dict)


@pytest.mark.parametrize("name", ["review.csv", "trials.csv", "figures.csv", "review sheet"])
def test_csv(hostile: HostileRun, name: str) -> None:
    """As many columns in every row, no cell that a spreadsheet takes for a formula, nothing invisible."""
    (folder,) = (hostile.root / "reports" / "review").iterdir()
    file = folder / "review.csv" if name == "review sheet" else hostile.out / name
    text = file.read_bytes().decode("utf-8")
    head, *rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))

    assert rows
    assert {len(row) for row in rows} == {len(head)}
    for row in rows:
        for cell in row:
            assert bad_characters(cell.replace("\r", "")) - {"\u200b", "\ufeff", "\u200d"} == set(), ascii(cell[:80])
            assert not is_formula(cell), ascii(cell[:80])
            assert len(cell) <= 32_767


def is_formula(cell: str) -> bool:
    """What begins one in Excel, LibreOffice or Sheets; a plain negative number does not."""
    bare = cell.lstrip(" \t\r\n\u200b\ufeff")
    return bare[:1] in tuple("=+-@＝＋－＠") and not re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", bare) and bare != "-"


def test_xlsx(hostile: HostileRun) -> None:
    """No formula, no link, no macro: every cell is text or a number."""
    (folder,) = (hostile.root / "reports" / "review").iterdir()
    book = openpyxl.load_workbook(folder / "review.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]

    assert len(cells) > TRIALS
    assert {cell.data_type for cell in cells} <= {"s", "n", "b", "d"}
    assert not [cell.coordinate for cell in cells if cell.hyperlink]
    assert not [cell.value for cell in cells if isinstance(cell.value, str) and bad_characters(
        cell.value) - {"\r", "\u200b", "\ufeff"}]  # fmt: skip
    with zipfile.ZipFile(folder / "review.xlsx") as archive:
        sheets = [archive.read(name) for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
        assert not [name for name in archive.namelist() if "external" in name.lower() or "vba" in name.lower()]
    assert not [sheet for sheet in sheets if re.search(rb"<f[ >]", sheet)]


@pytest.mark.parametrize("name", ["report.html", "review.html"])
def test_pages_as_text(hostile: HostileRun, name: str) -> None:
    """Before any browser: no markup of a model's, nothing to fetch, a content policy first of all."""
    (folder,) = (hostile.root / "reports" / "review").iterdir()
    text = ((folder if name == "review.html" else hostile.out) / name).read_text(encoding="utf-8")

    assert bad_characters(text) == set()
    for needle in ("<iframe", "<img", "<svg onload", "<script>window", "<evil", "<b>bold"):
        assert needle not in text, needle
    assert text.index("Content-Security-Policy") < 300
