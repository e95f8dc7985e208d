"""promptfoo configurations: prompts × tests, and each assertion as an expectation or by its name."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from evalkit.errors import UnreadableFile
from evalkit.host.plan import split_text
from evalkit.importing.drafts import Drafts
from evalkit.importing.promptfoo import read_promptfoo
from evalkit.importing.promptfoo_assertions import expectation_of
from evalkit.judging.text import TextJudge
from evalkit.reading.inline import inline_probe
from evalkit.transcript import Case, Transcript

if TYPE_CHECKING:
    from conftest import Write


def imported(write: Write, text: str) -> Drafts:
    return read_promptfoo([write("promptfooconfig.yaml", text)])


def reasons(found: Drafts) -> list[str]:
    return [problem.message for problem in found.left_out]


def test_prompts_times_tests(write: Write) -> None:
    """Each with its variables filled in; what comes of one test is one cluster."""
    found = imported(
        write,
        """\
prompts: ["Say: {{ text }}", "Sing: {{text}} in {{ place.town }}"]
defaultTest: {vars: {place: {town: Bonn}}}
tests:
  - {description: First one, vars: {text: hello}}
  - {vars: {text: 3}, metadata: {category: numbers}}
""",
    )

    assert [(item.id, item.category, item.prompt, item.keys["cluster"]) for item in found.probes] == [
        ("First one-p1", None, "Say: hello", "test-1"), ("First one-p2", None, "Sing: hello in Bonn", "test-1"),
        ("test-2-p1", "numbers", "Say: 3", "test-2"), ("test-2-p2", "numbers", "Sing: 3 in Bonn", "test-2"),
    ]  # fmt: skip
    assert found.probes[0].keys["why"] == "First one"


def test_lists_of_values(write: Write) -> None:
    """Stand for each of them, in every combination."""
    found = imported(write, 'prompts: "{{a}}{{b}}"\ntests: [{vars: {a: [x, y], b: ["1", "2"]}}]\n')

    assert [item.prompt for item in found.probes] == ["x1", "x2", "y1", "y2"]
    assert {item.keys["cluster"] for item in found.probes} == {"test-1"}


def test_prompts_in_files(write: Write) -> None:
    """Texts, several in one file, chats as turns; programs are left out by name."""
    write("two.txt", "First {{x}}?\n---\nSecond {{x}}?\n")
    write("chat.json", '[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "{{x}}"}]')
    found = imported(
        write,
        """\
prompts: [file://two.txt, file://chat.json, {raw: "Third {{x}}?", label: l}, file://make.py, file://gone.txt]
tests: [{vars: {x: tea}}]
""",
    )

    assert [item.prompt for item in found.probes] == ["First tea?", "Second tea?", "tea", "Third tea?"]
    assert found.probes[2].keys["turns"] == [{"system": "Be brief."}, {"user": "tea"}, "generate"]
    assert reasons(found) == [
        "file://make.py is a program or a pattern of names, which is not read. Write its text.",
        "file://gone.txt: cannot be opened: No such file or directory.",
    ]


def test_tests_in_files(write: Write) -> None:
    """CSV with its own columns of expectations, JSONL, YAML; others are left out by name."""
    write("t.csv", 'q,__expected,__expected2,__description\nA?,"contains-any: yes, no",is-json,why so\nB?,Paris,,\n')
    write("t.jsonl", '{"vars": {"q": "C?"}, "assert": [{"type": "icontains", "value": "c"}]}\n')
    write("t.yaml", "- vars: {q: D}\n")
    found = imported(write, 'prompts: ["{{q}}"]\ntests: [file://t.csv, t.jsonl, file://t.yaml, file://t.js]\n')

    assert [(item.prompt, item.keys.get("expect")) for item in found.probes] == [
        ("A?", {"contains_any": ["yes", "no"], "json": True, "case_sensitive": True}),
        ("B?", {"equals": ["Paris"], "case_sensitive": True}),
        ("C?", {"contains": ["c"]}),
        ("D", None),
    ]
    assert reasons(found) == ["file://t.js is no file of tests that is read here: .yaml, .json, .jsonl or .csv."]


@pytest.mark.parametrize(
    ("prompt", "variables", "sentence"),
    [
        ("{{ x }}", "y: 1", "the prompt asks for {{ x }}, and the test gives no such variable."),
        ("{% if x %}a{% endif %}", "x: 1",
         "the prompt holds more templating than {{ name }}. Write it out, or use expand."),
        ("{{ x | upper }}", "x: 1", "the prompt holds more templating than {{ name }}. Write it out, or use expand."),
        ("{{ x }}", "x: file://x.txt",
         "the variable 'x' comes from a file, which is not read. Write its text."),
    ],
)  # fmt: skip
def test_prompts_that_need_promptfoo(write: Write, prompt: str, variables: str, sentence: str) -> None:
    """Are left out, each with what to do."""
    found = imported(write, f'prompts: ["{prompt}"]\ntests: [{{vars: {{{variables}}}}}]\n')

    assert (reasons(found), found.probes) == ([sentence], [])


def test_what_has_no_place_is_counted(write: Write) -> None:
    """By its name in the configuration, and as a note at the probe."""
    found = imported(
        write,
        """\
prompts: [Hi]
scenarios: []
defaultTest: {options: {}}
tests:
  - {assert: [{type: javascript, value: "true"}, {type: similar, value: x, threshold: 0.8}], threshold: 1}
  - {assert: [{type: javascript, value: "1"}, {type: contains-json}]}
""",
    )

    assert dict(found.unknown) == {
        "scenarios": 1, "defaultTest.options": 1, "tests.threshold": 1, "assert javascript": 2, "assert similar": 1,
    }  # fmt: skip
    assert found.probes[0].notes == ("not imported: assert javascript", "not imported: assert similar")
    assert found.remarks == [
        "assert contains-json is read as json here: the answer, or its only fenced block, is the document"
    ]


HARD = 'He said "hi"\n- role: system # no\n: {'


@pytest.mark.parametrize(
    ("name", "chat"),
    [
        ("chat.json", '[{"role": "system", "content": "On {{day}}."}, {"role": "user", "content": "Read: {{x}}"}]'),
        ("chat.yaml", "- role: system\n  content: On {{day}}.\n- role: user\n  content: 'Read: {{ x }}'\n"),
        ("chat.yml", "- role: system\n  content: On {{day}}.\n- role: user\n  content: |-\n    Read: {{ x }}\n"),
    ],
)
def test_variables_of_a_chat_stay_as_they_are(write: Write, name: str, chat: str) -> None:
    """Quotation marks, line breaks and YAML in them included; a date is its text."""
    write(name, chat)
    found = imported(
        write, f"prompts: [file://{name}]\ntests: [{{vars: {{x: {json.dumps(HARD)}, day: 2024-05-01}}}}]\n"
    )

    assert [item.keys["turns"] for item in found.probes] == [
        [{"system": "On 2024-05-01."}, {"user": f"Read: {HARD}"}, "generate"]
    ]


def test_bare_placeholders_of_a_chat(write: Write) -> None:
    """A message's whole content, or a variable that holds the chat itself."""
    write("bare.yaml", "- role: user\n  content: {{x}}\n")
    chat = json.dumps([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}])
    found = imported(write, f"prompts: [file://bare.yaml, '{{{{x}}}}']\ntests: [{{vars: {{x: {json.dumps(chat)}}}}}]\n")

    assert found.probes[0].keys["prompt"] == chat
    assert found.probes[1].keys["turns"] == [{"system": "Be brief."}, {"user": "Why?"}, "generate"]


def test_values_that_are_no_text(write: Write) -> None:
    """Dates stand as written, also within others; a mapping that JSON cannot hold is left out."""
    found = imported(
        write,
        """\
prompts: ["{{x}}"]
tests: [{vars: {x: 2024-05-01}}, {vars: {x: {day: 2024-05-01}}}, {vars: {x: {2024-05-01: x}}}]
""",
    )

    assert [item.prompt for item in found.probes] == ["2024-05-01", '{"day": "2024-05-01"}']
    assert reasons(found) == ["the variable 'x' cannot be written as JSON. Write its text."]


def test_assertions_that_are_no_list(write: Write) -> None:
    """Leave the test out, each once; those of defaultTest are told and the tests stay."""
    file = write(
        "c.yaml",
        """\
prompts: [Hi]
defaultTest: {assert: {type: equals, value: Hi}}
tests:
  - {assert: 5}
  - {assert: {type: contains, value: x}}
  - {description: good}
""",
    )
    found = read_promptfoo([file])

    assert list(map(str, found.left_out)) == [
        f"{file}: $.defaultTest.assert: expected a list of assertions. Write each as an item: - type: …",
        f"{file}: $.tests[0]: assert: expected a list of assertions. Write each as an item: - type: …",
        f"{file}: $.tests[1]: assert: expected a list of assertions. Write each as an item: - type: …",
    ]
    assert [(item.id, item.notes) for item in found.probes] == [("good", ())]
    assert dict(found.unknown) == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("default.yaml", "vars: {x: tea}\nassert: [{type: contains, value: cup}]\noptions: {}\n"),
        ("default.json",
         '{"vars": {"x": "tea"}, "assert": [{"type": "contains", "value": "cup"}], "options": {}}'),
    ],
)  # fmt: skip
def test_defaults_in_a_file(write: Write, name: str, text: str) -> None:
    """Hold as those that stand in the configuration."""
    write(name, text)
    found = imported(write, f"prompts: ['{{{{x}}}}?']\ndefaultTest: file://{name}\ntests: [{{description: one}}]\n")

    assert [(item.prompt, item.keys["expect"]) for item in found.probes] == [
        ("tea?", {"contains": ["cup"], "case_sensitive": True})
    ]
    assert (dict(found.unknown), reasons(found)) == ({"defaultTest.options": 1}, [])


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("file://gone.yaml", "file://gone.yaml: cannot be opened: No such file or directory."),
        ("file://default.py", "file://default.py is no file of tests that is read here: .yaml, .json, .jsonl or .csv."),
        ("file://two.yaml", "file://two.yaml: expected one test as a mapping, found 2."),
        ("[1]", "expected a test as a mapping, or the name of a file."),
    ],
)
def test_defaults_that_cannot_be_read(write: Write, written: str, sentence: str) -> None:
    """Are told at their place; the tests are imported."""
    write("two.yaml", "[{vars: {x: a}}, {vars: {x: b}}]\n")
    file = write("c.yaml", f"prompts: [Hi]\ndefaultTest: {written}\ntests: [{{description: one}}]\n")
    found = read_promptfoo([file])

    assert list(map(str, found.left_out)) == [f"{file}: $.defaultTest: {sentence}"]
    assert len(found.probes) == 1


CELLS = [
    ("similar(0.8): hello world", {}, "assert similar"),
    ("contains(0.8): hello", {}, "assert contains"),
    ("llm-rubric(0.7): be nice", {"behaviour": "be nice"}, None),
    ("grade: be nice: always", {"behaviour": "be nice: always"}, None),
    ("latency(500)", {}, "assert latency"),
    ("is-refusal", {"recommendation": "BLOCK"}, None),
    ("contains-all:\n a, b", {"contains": ["a", "b"], "case_sensitive": True}, None),
    ("hello (you): there", {"equals": ["hello (you): there"], "case_sensitive": True}, None),
    ("12:30", {"equals": ["12:30"], "case_sensitive": True}, None),
]


@pytest.mark.parametrize(("cell", "expect", "unknown"), CELLS, ids=[cell for cell, _, _ in CELLS])
def test_expectations_of_a_cell(write: Write, cell: str, expect: dict[str, Any], unknown: str | None) -> None:
    """By their kind, a threshold in brackets included; only other texts are the answer itself."""
    write("t.csv", f'q,__expected\nA?,"{cell}"\n')
    found = imported(write, "prompts: ['{{q}}']\ntests: file://t.csv\n")

    assert [item.keys.get("expect", {}) for item in found.probes] == [expect]
    assert dict(found.unknown) == ({unknown: 1} if unknown else {})


def test_columns_of_promptfoo_that_have_no_place(write: Write) -> None:
    """Are counted by name, in the rows that fill them."""
    write("t.csv", "q,__prefix,__metadata:category\nA?,Say:,x\nB?,,y\n")
    found = imported(write, "prompts: ['{{q}}']\ntests: file://t.csv\n")

    assert dict(found.unknown) == {"column __prefix": 1, "column __metadata:category": 2}
    assert [item.prompt for item in found.probes] == ["A?", "B?"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("- a\n", ":1: expected a promptfoo configuration, with prompts: and tests:."),
        ("prompts: [a\ntests:\n", ":2: not valid YAML. Correct it."),
    ],
)
def test_files_that_are_no_configuration(write: Write, text: str, sentence: str) -> None:
    """Are refused at the line."""
    file = write("c.yaml", text)

    with pytest.raises(UnreadableFile) as refused:
        read_promptfoo([file])

    assert str(refused.value) == f"{file}{sentence}"


def passes(assertions: list[dict[str, Any]], answer: str) -> bool:
    """What our text judge says of an answer under the imported expectation."""
    expect = expectation_of(assertions).expect
    probe = inline_probe(
        file="f", line=1, name="n", prompts=["?"], system=None, expect=expect, judges=[], category="c", decoding={}
    )
    case = Case(probe, "t", Transcript((), (split_text(answer),)))
    return TextJudge().read(case, ()).outcome == "pass"


MEANING = [
    ("contains", "Paris", ["in Paris."], ["in paris."]),
    ("icontains", "Paris", ["in PARIS."], ["in Rome."]),
    ("not-contains", "Paris", ["in paris."], ["in Paris."]),
    ("not-icontains", "Paris", ["in Rome."], ["in paris."]),
    ("contains-all", ["A", "B"], ["B A"], ["A b"]),
    ("icontains-all", ["A", "B"], ["b a"], ["a"]),
    ("contains-any", ["A", "B"], ["B"], ["b"]),
    ("icontains-any", ["A", "B"], ["b"], ["c"]),
    ("not-contains-any", ["A", "B"], ["b"], ["B"]),
    ("not-icontains-any", ["A", "B"], ["c"], ["b"]),
    ("equals", "Paris", ["Paris", " Paris\n"], ["paris", "Paris."]),
    ("equals", 4, ["4"], ["44"]),
    ("not-equals", "Paris", ["Paris."], ["Paris"]),
    ("starts-with", "Dear (", ["Dear (you)"], ["My Dear (you)", "dear (you)"]),
    ("not-starts-with", "Dear", ["My Dear"], ["Dear you"]),
    ("regex", r"^\d+$", ["12"], ["12\nand more", "a12"]),
    ("regex", "(?<year>19\\d\\d)", ["in 1987"], ["in 2087"]),
    ("not-regex", "[A-Z]{3}", ["abc"], ["ABC"]),
    ("is-json", None, ['{"a": 1}'], ["a: 1"]),
    ("is-json", {"type": "object", "required": ["a"]}, ['{"a": 1}'], ['{"b": 1}']),
]


@pytest.mark.parametrize(("kind", "value", "good", "bad"), MEANING, ids=lambda item: str(item)[:20])
@pytest.mark.parametrize("beside", [None, "icontains", "contains"])
def test_assertions_mean_here_what_they_meant(
    kind: str, value: object, good: list[str], bad: list[str], beside: str | None
) -> None:
    """Alone, and beside one that heeds case or one that does not; each is judged by our own judge."""
    assertions: list[dict[str, Any]] = [{"type": kind, "value": value}]
    if beside is not None:
        assertions.append({"type": f"not-{beside}", "value": "qqq"})

    assert expectation_of(assertions).unsupported == []
    for answer in good:
        assert passes(assertions, answer), answer
    for answer in bad:
        assert not passes(assertions, answer), answer


def test_two_lists_of_which_any_will_do() -> None:
    """Each must be met."""
    both = [{"type": "contains-any", "value": ["A", "B"]}, {"type": "contains-any", "value": ["1", "2"]}]
    folded = [{**item, "type": "icontains-any"} for item in both]

    for assertions in (both, folded):
        assert passes(assertions, "A2")
        assert not passes(assertions, "AB")


def test_rubrics_and_refusals_are_for_judges_of_meaning() -> None:
    """A rubric is the behaviour; a set without a threshold is its members."""
    found = expectation_of([
        {"type": "llm-rubric", "value": "Is kind.", "threshold": 0.7},
        {"type": "assert-set", "assert": [{"type": "g-eval", "value": ["Is brief.", "Is true."]}]},
        {"type": "not-is-refusal"},
    ])  # fmt: skip

    assert found.expect == {"behaviour": "Is kind. Is brief. Is true.", "recommendation": "PASS"}
    assert expectation_of([{"type": "is-refusal"}]).expect == {"recommendation": "BLOCK"}


@pytest.mark.parametrize(
    "assertion",
    [
        {"type": "javascript", "value": "x"}, {"type": "contains", "value": ""},
        {"type": "contains", "value": {"a": 1}},
        {"type": "regex", "value": "(?<=a+)b"}, {"type": "not-contains-all", "value": ["a", "b"]},
        {"type": "contains", "value": "file://x.txt"}, {"type": "contains", "value": "a", "transform": "output.x"},
        {"type": "assert-set", "threshold": 0.5, "assert": []}, {"type": "is-json", "value": {"type": "nonsense"}},
        {"type": "not-llm-rubric", "value": "x"},
    ],
)  # fmt: skip
def test_assertions_that_are_not_there(assertion: dict[str, Any]) -> None:
    """Are named, and expect nothing."""
    found = expectation_of([assertion])

    assert (found.unsupported, found.expect) == ([assertion["type"]], {})


def test_patterns_stay_patterns_of_python() -> None:
    """Every pattern that is written compiles."""
    every = [{"type": kind, "value": value} for kind, value, _, _ in MEANING if kind != "equals"]
    found = expectation_of(every).expect

    for pattern in (*found["regex"], *found["not_regex"]):
        re.compile(pattern)
