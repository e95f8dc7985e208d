"""Templates become probes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.probe import Message, NumberExpectation, Probe
from evalkit.reading.build import FileReading, read_suite
from evalkit.reading.expanding import template
from evalkit.reading.naming import distinct_slugs
from evalkit.workspace import Workspace

ASKS = "_data/asks.txt"


def read(folder: Path, text: str, **lists: str) -> FileReading:
    """What a file of a suite comes to; ``lists`` are files of its _data, by name without suffix."""
    data = folder / "suites" / "s" / "_data"
    data.mkdir(parents=True, exist_ok=True)
    for name, content in lists.items():
        (data / name.replace("_", ".")).write_text(content, encoding="utf-8")
    (data.parent / "a.yaml").write_text(text, encoding="utf-8")
    [reading] = read_suite(data.parent, Workspace(folder), frozenset({"behaviour"})).files
    return reading


def probes(folder: Path, text: str, **lists: str) -> list[Probe]:
    reading = read(folder, text, **lists)
    assert reading.problems == ()
    return list(reading.probes)


def test_lists_are_crossed_in_the_order_written(tmp_path: Path) -> None:
    """The last list varies fastest; each probe has the template's line and cluster."""
    made = probes(
        tmp_path,
        "probes:\n"
        "  - {prompt: Who?, id: plain, expect: {contains: a}}\n"
        "  - id: visit\n"
        "    expand: {city: [Paris, Lima], ask: {file: _data/asks.txt}}\n"
        "    prompt: '{{ ask }} {{ city }}?'\n"
        "    expect: {contains: '{{ city }}'}\n",
        asks_txt="How big is\n\nHow old is\n",
    )

    assert [(one.id, one.prompt, one.expect.contains, one.line, one.cluster) for one in made] == [
        ("plain", "Who?", ("a",), 2, None),
        ("visit.paris.how-big-is", "How big is Paris?", ("Paris",), 3, "visit"),
        ("visit.paris.how-old-is", "How old is Paris?", ("Paris",), 3, "visit"),
        ("visit.lima.how-big-is", "How big is Lima?", ("Lima",), 3, "visit"),
        ("visit.lima.how-old-is", "How old is Lima?", ("Lima",), 3, "visit"),
    ]


def test_values_travel_together_in_mappings(tmp_path: Path) -> None:
    """A list of mappings of a file fills several fields; numbers are read back as numbers."""
    made = probes(
        tmp_path,
        "defaults: {cluster: sums}\n"
        "probes:\n"
        "  - id: sum\n"
        "    expand: {item: {file: _data/sums.yaml}}\n"
        "    turns:\n"
        "      - system: You are {{ item.who }}.\n"
        "      - user: What is {{ item.a }} + {{ item.b }}?\n"
        "      - generate\n"
        "    why: 'sums over {{ (item.a + item.b) // 10 * 10 }}'\n"
        "    category: '{{ item.kind }}'\n"
        "    tags: [sum, '{{ item.kind|lower }}']\n"
        "    expect: {number: '{{ item.a + item.b }}', must_say: [['{{ item.a }}', a], b], max_words: '{{ item.b }}'}\n"
        "    judges: [behaviour]\n",
        sums_yaml="- {id: first, who: Ann, kind: EASY, a: 2, b: 3}\n"
        "- {id: second, who: Ben, kind: HARD, a: 20, b: 30}\n",
    )

    assert [one.id for one in made] == ["sum.first", "sum.second"]
    assert made[1].turns[:2] == (Message("system", "You are Ben."), Message("user", "What is 20 + 30?"))
    assert [(one.why, one.category, one.tags, one.cluster) for one in made] == [
        ("sums over 0", "EASY", ("sum", "easy"), "sums"),
        ("sums over 50", "HARD", ("sum", "hard"), "sums"),
    ]
    assert [(one.expect.number, one.expect.must_say, one.expect.max_words) for one in made] == [
        (NumberExpectation(5), (("2", "a"), ("b",)), 3),
        (NumberExpectation(50), (("20", "a"), ("b",)), 30),
    ]


def test_a_prompt_file_is_named_by_a_placeholder(tmp_path: Path) -> None:
    """Each value's own file is read; what is in it is no template."""
    made = probes(
        tmp_path,
        "probes:\n  - {id: x, expand: {n: [one, two]}, prompt_file: '_data/{{ n }}.txt', expect: {contains: a}}\n",
        one_txt="First {{ n }}?\n",
        two_txt="Second?\n",
    )

    assert [one.prompt for one in made] == ["First {{ n }}?", "Second?"]


def test_what_is_no_placeholder_stays_as_it_is(tmp_path: Path) -> None:
    """Other marks of Jinja are text, a value is never a template, and a line break at the end stays."""
    text = (
        "probes:\n"
        "  - id: x\n"
        "    expand: {n: ['{{ m }}', '{% if %}'], m: [m]}\n"
        "    prompt: |\n      {% raw %} {# no #} {{ n }} {{ m }} {{ '{{' }} 100 %\n"
        "    expect: {contains: a, regex: '\\d{2}}'}\n"
    )

    assert [one.prompt for one in probes(tmp_path, text)] == [
        "{% raw %} {# no #} {{ m }} m {{ 100 %\n",
        "{% raw %} {# no #} {% if %} m {{ 100 %\n",
    ]


def test_braces_mean_nothing_without_expand(tmp_path: Path) -> None:
    """Only a template is filled in."""
    [made] = probes(tmp_path, "probes:\n  - {prompt: 'What is {{ x }}?', expect: {contains: a}}\n")

    assert made.prompt == "What is {{ x }}?"


def test_a_template_without_id_is_called_by_its_prompt(tmp_path: Path) -> None:
    """The words of the template, and another number where a written id is in the way."""
    made = probes(
        tmp_path,
        "probes:\n"
        "  - {expand: {city: [Paris]}, prompt: 'Is {{ city }} big?', expect: {contains: a}}\n"
        "  - {id: who-is.ann, prompt: Who?, expect: {contains: a}}\n"
        "  - {expand: {n: [Ann]}, turns: [user: 'Who is?', assistant: '{{ n }}', user: 'So?', generate], "
        "expect: {contains: a}}\n",
    )

    assert [(one.id, one.cluster) for one in made] == [
        ("is-city-big.paris", "is-city-big"), ("who-is.ann", None), ("who-is-2.ann", "who-is-2"),
    ]  # fmt: skip


def test_earlier_ids_of_a_template_are_those_of_its_probes(tmp_path: Path) -> None:
    """So that a renamed template keeps its history."""
    made = probes(
        tmp_path,
        "probes:\n  - {id: x, formerly: [y, old/z], expand: {n: [a, b]}, prompt: '{{ n }}?', expect: {contains: a}}\n",
    )

    assert [one.formerly for one in made] == [("y.a", "old/z.a"), ("y.b", "old/z.b")]


@given(st.lists(st.text(max_size=40), max_size=12), st.text(max_size=40), st.integers(4, 24))
def test_names_of_values_are_distinct_and_stay_when_a_list_grows(texts: list[str], more: str, limit: int) -> None:
    """Whatever the values: legal, none twice, and those of before unchanged by one at the end."""
    names = distinct_slugs(texts, limit)

    assert len(set(names)) == len(names)
    assert all(name and set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for name in names)
    assert distinct_slugs([*texts, more], limit)[: len(names)] == names


def test_long_values_give_ids_of_a_hundred_characters_at_most(tmp_path: Path) -> None:
    """Each list has its share of the id; what is cut alike is numbered."""
    long = "a very long question about the weather of tomorrow"
    made = probes(
        tmp_path,
        f"probes:\n  - id: {'x' * 40}\n"
        f"    expand: {{a: [{long} one, {long} two], b: [{long}], c: [{long}], d: [ 水, 火 ]}}\n"
        "    prompt: '{{ a }} {{ b }} {{ c }} {{ d }}'\n    expect: {contains: a}\n",
    )

    assert [one.id.removeprefix("x" * 40) for one in made] == [
        ".a-very-l.a-very-l.a-very-l.1", ".a-very-l.a-very-l.a-very-l.2",
        ".a-very-l-2.a-very-l.a-very-l.1", ".a-very-l-2.a-very-l.a-very-l.2",
    ]  # fmt: skip


VALUES = st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF), max_size=12), min_size=1, max_size=5)


@given(VALUES)
def test_a_copied_probe_is_the_one_that_reading_makes(values: list[str]) -> None:
    """The short way of making a probe from the first one gives what reading the whole entry gives."""
    raw = {
        "id": "x",
        "prompt": "Say {{ v }}",
        "why": "{{ v }}!",
        "expect": {"behaviour": "{{ v }}.", "must_say": ["{{ v }}", ["b", "c{{ v }}"]], "contains": "{{ v }}",
                   "equals": ["a", "{{ v }}"]},
    }  # fmt: skip
    paths = [path for path, _ in template.places(raw)]
    first = _built(template.entry_with(raw, paths, ["a"] * len(paths)))

    for value in values:
        texts = [text.replace("{{ v }}", value) for _, text in template.places(raw)]
        changes = template.Rewording(raw, paths).changes(first, texts)
        if changes is not None:
            assert replace(first, **changes) == _built(template.entry_with(raw, paths, texts))


def _built(entry: dict[str, object]) -> Probe:
    from evalkit.reading.entries import BuiltProbe, FileContext, build_probe
    from evalkit.reading.yaml_nodes import Document

    document = Document("a.yaml", {"probes": [entry]})
    context = FileContext(document, Path("/w/suites/s/a.yaml"), "s", Workspace(Path("/w")), None, ())
    built = build_probe(context, 0, {**entry, "judges": ["behaviour"]})
    assert isinstance(built, BuiltProbe)
    return built.probe


@pytest.mark.parametrize(
    "placeholder",
    ["'a' * 1000000000", "n ** n ** n", "n|center(1000000000)", "'%1000000000d' % n", "n|round(-1000000000, 'floor')",
     "range(100000)", "[n] * 1000000000", "n.__class__", "''.__class__.__mro__", "n|replace('', n)", "self", "cycler"],
)  # fmt: skip
def test_a_costly_or_curious_placeholder_is_refused_at_once(tmp_path: Path, placeholder: str) -> None:
    """Neither time nor memory nor Python's insides are open to a template."""
    begun = time.process_time()
    prompt = f"{{{{ {placeholder} }}}} {{{{ n }}}}"
    text = f'probes:\n  - {{id: x, expand: {{n: [9]}}, prompt: "{prompt}", expect: {{contains: a}}}}\n'

    reading = read(tmp_path, text)

    assert reading.probes == ()
    assert len(reading.problems) == 1
    assert time.process_time() - begun < 5


def test_perturbed_probes_follow_their_original(tmp_path: Path) -> None:
    """Expanded first, perturbed then; a probe's own perturb replaces that of the defaults."""
    made = probes(
        tmp_path,
        "defaults: {perturb: {shuffle: [0, 0.5]}}\n"
        "probes:\n"
        "  - {id: one, prompt: Which of the old mills still grinds?, expect: {contains: a}}\n"
        "  - {id: none, prompt: Which of the old mills still grinds?, perturb: {}, expect: {contains: a}}\n"
        "  - {id: x, expand: {n: [mills, inns]}, perturb: {typo: 1}, prompt: 'Which old {{ n }} are open?', "
        "expect: {contains: a}}\n",
    )

    assert [(one.id, one.cluster) for one in made] == [
        ("one", "one"), ("one~shuffle0.5.r1", "one"), ("none", None),
        ("x.mills", "x"), ("x.mills~typo1.r1", "x"), ("x.inns", "x"), ("x.inns~typo1.r1", "x"),
    ]  # fmt: skip
    assert [one.perturbation.of for one in made if one.perturbation] == ["one", "x.mills", "x.inns"]


def test_what_noise_cannot_change_is_noted(tmp_path: Path) -> None:
    """No mistake, and not in silence."""
    reading = read(
        tmp_path,
        "probes:\n  - {id: x, prompt: Who are you?, perturb: {shuffle: [0.5, 1]}, expect: {contains: a}}\n",
    )

    assert ([one.id for one in reading.probes], reading.problems) == (["x"], ())
    assert [str(note) for note in reading.notes] == [
        "suites/s/a.yaml:2: $.probes[0].perturb: 'x~shuffle0.5.r1' and 1 more left out: the noise changes nothing "
        "there, the text is too short for it."
    ]


def test_the_examples_of_the_page_are_read(tmp_path: Path) -> None:
    """docs/expansion.md shows what evalkit reads, with the ids that it makes."""
    page = (Path(__file__).parents[2] / "docs" / "expansion.md").read_text(encoding="utf-8")
    capital, mills = (part.split("```")[0] for part in page.split("```yaml\n")[1:])

    made = probes(tmp_path / "a", capital, asks_yaml="[the capital, the largest city]\n")
    perturbed = probes(tmp_path / "b", mills)

    assert len(made) == 8
    for one in made[:3]:
        assert one.id in page
    assert (made[1].prompt, made[1].expect.contains) == ("Please tell me the largest city of France.", ("Paris",))
    ids = [one.id for one in perturbed]
    assert (ids[:2], ids[20:]) == (["mills", "mills~shuffle0.3.r1"], ["mills~shuffle1.r5", "mills~typo0.2.r1"])


def test_reading_time_grows_with_the_probes_and_no_faster(tmp_path: Path, growth: Callable[..., float]) -> None:
    """Eight times the probes cost at most sixteen times the time; a square would cost 64 times."""

    def work(cities: int) -> None:
        names = ", ".join(f"city-{number}" for number in range(cities))
        text = f"probes:\n  - {{id: x, expand: {{c: [{names}]}}, prompt: 'See {{{{ c }}}}', expect: {{contains: a}}}}\n"
        assert len(read(tmp_path, text).probes) == cities

    assert growth(work, 1_000, 8_000, at_most=16) <= 16
