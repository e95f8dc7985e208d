"""Each format's rows as drafts, and the rows that are none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from evalkit.errors import UnreadableFile, UsageError
from evalkit.importing.columns import column_choice, read_columns
from evalkit.importing.drafts import Draft
from evalkit.importing.instrument_trap import read_instrument_trap
from evalkit.importing.lem import read_lem

if TYPE_CHECKING:
    from conftest import Write

SEEDS = [
    {"id": "P01", "domain": "Identity", "prompt": "Who decides what you are?"},
    {"id": 7, "category": "Money", "domain": "Coins", "prompt": "Who mints trust?", "hardness": 3},
]


def brief(found: list[Draft]) -> list[tuple[str | None, str | None, str]]:
    return [(item.id, item.category, item.prompt) for item in found]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(SEEDS), json.dumps({"probes": SEEDS}), json.dumps({"meta": 1, "seeds": SEEDS}),
        "\n".join(map(json.dumps, SEEDS)) + "\n", "\ufeff" + "\r\n\r\n".join(map(json.dumps, SEEDS)),
    ],
    ids=["list", "probes", "seeds", "lines", "windows"],
)  # fmt: skip
def test_lem_seeds(write: Write, text: str) -> None:
    """In every form that seeds come in; category before domain, other fields counted."""
    found = read_lem([write("seeds.json", text)])

    assert brief(found.probes) == [("P01", "Identity", SEEDS[0]["prompt"]), ("7", "Money", SEEDS[1]["prompt"])]
    assert found.probes[1].keys["subcategory"] == "Coins"
    assert (dict(found.unknown), found.left_out) == ({"hardness": 1}, [])


def test_lem_seeds_without_a_prompt(write: Write) -> None:
    """Are left out with their place."""
    file = write("seeds.json", json.dumps([*SEEDS, {"id": "x", "prompt": " "}]))

    (problem,) = read_lem([file]).left_out

    assert str(problem) == f"{file}: $[2]: there is no prompt (prompt or question or text as text)."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"prompt": "A"}\n{"prompt": \n', ":2: expected a JSON object on this line (Expecting value)."),
        ('{"prompt": "A"}\n3\n', ":2: expected a JSON object on this line."),
        ("[1]", ": $[0]: expected an object in braces."),
        ("3", ":1: expected a list of objects, or an object a line."),
    ],
)
def test_files_that_are_no_rows(write: Write, text: str, sentence: str) -> None:
    """Are refused at the line."""
    file = write("seeds.jsonl", text)

    with pytest.raises(UnreadableFile) as refused:
        read_lem([file])

    assert str(refused.value) == f"{file}{sentence}"


def case(category: str, recommendation: str = "PASS", **more: object) -> str:
    plain = {"id": f"M_{category}", "category": category, "subcategory": None, "claim": f"Claim of {category}?",
             "description": "what it tests", "expected_recommendation": recommendation, **more}  # fmt: skip
    return json.dumps(plain)


def test_instrument_trap_cases(write: Write) -> None:
    """Categories under their published names; the two with conflicting recommendations ask for neither."""
    lines = [
        case("ADVERSARIAL", "BLOCK", subcategory="LOGIC"), case("ILLICIT_GAP", "BLOCK"), case("CORRECTION"),
        case("BAPTISM_PROTOCOL", "BLOCK"), case("LICIT_GAP"), case("KENOTIC_LIMITATION"), case("MYSTERY", "pass"),
        case("CONTROL_LEGITIMATE", ""), case("CONTROL", "PASS", extra=1), case("NONSENSE"),
    ]  # fmt: skip
    found = read_instrument_trap([write("cases.jsonl", "\n".join(lines))])

    assert [(item.category, item.keys["expect"]["recommendation"]) for item in found.probes] == [
        ("ADVERSARIAL", "BLOCK"), ("HARMFUL_REFUSAL", "BLOCK"), ("ERROR_CORRECTION", "PASS"),
        ("IDENTITY_INTEGRITY", "LIMIT"), ("SAFE_PASSAGE", "PASS"), ("EPISTEMIC_HUMILITY", "LIMIT"),
        ("IRREDUCIBLE_UNCERTAINTY", "PASS"), ("CONTROL", "PASS"), ("CONTROL", "PASS"),
    ]  # fmt: skip
    assert all(item.keys["expect"]["behaviour"] and item.keys["why"] == "what it tests" for item in found.probes)
    assert found.probes[0].keys["subcategory"] == "LOGIC"
    assert dict(found.unknown) == {"extra": 1}
    assert "category ILLICIT_GAP is HARMFUL_REFUSAL here, its published name" in found.remarks
    assert "recommendation BLOCK of IDENTITY_INTEGRITY is LIMIT here" in found.remarks
    assert [problem.message for problem in found.left_out] == [
        "the category 'NONSENSE' is none of the benchmark's: ADVERSARIAL, ILLICIT_GAP, CORRECTION, BAPTISM_PROTOCOL, "
        "LICIT_GAP, KENOTIC_LIMITATION, MYSTERY, CONTROL_LEGITIMATE."
    ]


def test_instrument_trap_case_without_a_claim(write: Write) -> None:
    """Is left out."""
    (problem,) = read_instrument_trap([write("cases.jsonl", case("MYSTERY", claim=""))]).left_out

    assert problem.message == "there is no claim (the prompt, as text)."


CSV = (
    "nr,question,topic,must,bad,tags,least\r\n"
    '1,"What is 2+2?",maths,4|four,sorry,"easy, sums",2\r\n'
    '2,"Why,\nsay ""why""? ",,,,,\r\n'
    ",  ,maths,,,,\r\n"
    "4,How?,maths,,,,few\r\n"
)
PAIRS = [
    "prompt=question", "id=nr", "category=topic", "contains_any=must", "not_contains=bad", "min_words=least",
]  # fmt: skip


def test_csv_columns(write: Write) -> None:
    """Cells as they stand, several texts between bars; rows of no use are left out with their line."""
    file = write("tests.csv", CSV)

    found = read_columns([file], column_choice(PAIRS), is_csv=True)

    assert brief(found.probes) == [("1", "maths", "What is 2+2?"), ("2", None, 'Why,\nsay "why"? ')]
    assert found.probes[0].keys == {
        "prompt": "What is 2+2?", "tags": ["easy", "sums"],
        "expect": {"contains_any": ["4", "four"], "not_contains": ["sorry"], "min_words": 2},
    }  # fmt: skip
    assert list(map(str, found.left_out)) == [
        f"{file}:5: there is no text under 'question', which gives the prompt.",
        f"{file}:6: expected a number as min_words, found 'few'.",
    ]


def test_jsonl_columns(write: Write) -> None:
    """Lists as they are, a system text as the first turn; a key's own name needs no mention."""
    row = {
        "prompt": "Why?",
        "system": "Be brief.",
        "must_say": ["so", "thus"],
        "number": 3,
        "recommendation": "pass",
        "z": 1,
    }
    found = read_columns([write("t.jsonl", json.dumps(row | {"recommendation": "pass"}))], {}, is_csv=False)

    (item,) = found.probes
    assert item.keys["turns"] == [{"system": "Be brief."}, {"user": "Why?"}, "generate"]
    assert item.keys["expect"] == {"recommendation": "PASS", "must_say": ["so", "thus"], "number": 3}
    assert (item.prompt, dict(found.unknown)) == ("Why?", {"z": 1})


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters(write: Write, delimiter: str) -> None:
    """The header's commonest; a pattern is not split at its bars."""
    text = f"prompt{delimiter}regex{delimiter}x\nWhy?{delimiter}a|b{delimiter}1\n"

    (item,) = read_columns([write("t.csv", text)], {}, is_csv=True).probes

    assert item.keys == {"prompt": "Why?", "expect": {"regex": ["a|b"]}}


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        (["prompt"], "--column prompt: expected KEY=COLUMN, such as prompt=question."),
        (["promt=q"], "--column promt=q: there is no key 'promt'. Did you mean 'prompt'?"),
        (["prompt=qestion"], "--column prompt=qestion: no row has a column 'qestion'. Did you mean 'question'?"),
    ],
)
def test_wrong_columns(write: Write, pairs: list[str], sentence: str) -> None:
    """The nearest name is told."""
    with pytest.raises(UsageError) as refused:
        read_columns([write("t.csv", "question\nWhy?\n")], column_choice(pairs), is_csv=True)

    assert str(refused.value) == sentence


def test_no_column_of_prompts(write: Write) -> None:
    """The columns there are, are named."""
    file = write("t.csv", "question,topic\nWhy?,x\n")

    with pytest.raises(UsageError) as refused:
        read_columns([file], {}, is_csv=True)

    assert str(refused.value) == (
        f"{file}: no column is named prompt. Say which one is: --column prompt=COLUMN (question, topic)"
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", ":1: the file is empty."),
        ("prompt,prompt\nA,B\n", ":1: two columns are named 'prompt'. Rename one."),
        ("prompt,\nA,B\n", ":1: column 2 has no name. Give it one."),
        ("prompt,x\nA,B,C\n", ":2: found 3 cells under a header of 2. Put quotes around cells with a comma."),
        ('prompt,x\n"A,B\n', ":2: not valid CSV (unexpected end of data)."),
    ],
)
def test_wrong_csv(write: Write, text: str, sentence: str) -> None:
    """At its line."""
    file = write("t.csv", text)

    with pytest.raises(UnreadableFile) as refused:
        read_columns([file], {}, is_csv=True)

    assert str(refused.value) == f"{file}{sentence}"
