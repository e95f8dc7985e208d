"""Every generated answer of suites/capability, logic: worked out again from the words of its prompt alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import permutations

import pytest

from evalkit.probe import Probe
from evalkit.verdict import Verdict

Generated = Callable[[str], Iterator[tuple[Probe, Callable[[str], Verdict]]]]


def whole(text: str) -> list[int]:
    """The whole numbers of a text, in order."""
    return [int(found) for found in re.findall(r"(?<![\d.])\d+(?![\d.]*\d)", text)]


def named(text: str) -> list[str]:
    """Names of people, each once, in order: words with a capital that start no sentence of ours."""
    plain = {"Who", "Of", "There", "One", "Round", "The", "End", "Finish", "Put", "Close", "Between", "Which"}
    return list(dict.fromkeys(word for word in re.findall(r"\b[A-Z][a-z]+", text) if word not in plain))


def _ordering(t: str) -> object:
    """The one order of all names that fits every comparison."""
    claims = re.findall(r"(\w+) is \w+ than (\w+)", t)
    names = sorted({name for claim in claims for name in claim})
    (order,) = [row for row in permutations(names) if all(row.index(a) < row.index(b) for a, b in claims)]
    place = re.search(r"comes (\w+),", t)
    if place:
        return order[["first", "second", "third", "fourth", "fifth"].index(place[1])]
    return order[0 if re.search(r"the (oldest|tallest|fastest|richest)\?", t) else -1]


def _liar(t: str) -> object:
    said = re.findall(r'(\w+) says: "(\w+) is (not )?the liar\."', t)
    names = [speaker for speaker, _, _ in said]
    fits = [one for one in names if all(((other == one) != bool(no)) == (who != one) for who, other, no in said)]
    (liar,) = fits
    return liar


def _cups(t: str) -> object:
    start = re.search(r"(?:under the|The|in the) (\w+) (?:cup|box|bowl)", t)
    assert start
    held = start[1]
    for a, b in re.findall(r"(\w+) with (\w+)(?=[,.])", t.split(":", 1)[1]):
        held = {a: b, b: a}.get(held, held)
    return held


def _compass(t: str) -> object:
    start = re.findall(r"(?:face|looks|points) (\w+)", t)[0]
    turn = "(?:right about|right|left)"
    orders = re.findall(rf"(?:and turn|orders:|turns it) ({turn}(?:, {turn})*)", t)[0]
    way = ["north", "east", "south", "west"].index(start)
    for order in orders.split(", "):
        way += {"right": 1, "left": -1, "right about": 2}[order]
    return ["north", "east", "south", "west"][way % 4]


def _overlap(t: str) -> object:
    total, a, b, both = whole(t)
    people = [(True, True)] * both + [(True, False)] * (a - both) + [(False, True)] * (b - both)
    people += [(False, False)] * (total - len(people))
    wanted: Callable[[tuple[bool, bool]], bool] = (
        (lambda one: not any(one)) if "neither" in t else (lambda one: sum(one) == 1) if "exactly" in t else any
    )
    return sum(wanted(one) for one in people)


def _truths(t: str) -> object:
    """The claims as Python, over the facts as they are given."""
    facts = re.findall(r"it is (true|false) that (the \w+ is \w+)", t)
    claims = re.findall(r"\([a-e]\) ([^;]*?)(?=;|\. |\.$)", t)
    return sum(_claim(claim, {fact: value == "true" for value, fact in facts}) for claim in claims)


_FACT = r"(the \w+ is \w+)"
_FORMS: tuple[tuple[str, Callable[..., bool]], ...] = (
    (rf"if {_FACT}, then {_FACT}", lambda a, b: b or not a),
    (rf"neither {_FACT} nor {_FACT} holds", lambda a, b: not (a or b)),
    (rf"{_FACT} but it is not true that {_FACT}", lambda a, b: a and not b),
    (rf"{_FACT} and {_FACT}", lambda a, b: a and b),
    (rf"{_FACT} or {_FACT}", lambda a, b: a or b),
    (rf"it is not true that {_FACT}", lambda a: not a),
)


def _claim(claim: str, facts: dict[str, bool]) -> bool:
    ((found, rule),) = [(found, rule) for form, rule in _FORMS if (found := re.fullmatch(form, claim))]
    return rule(*(facts[name] for name in found.groups()))


def _assignment(t: str) -> object:
    clues = re.findall(r"(\w+) does not \w+ the (\w+)", t)
    things = re.search(r": ([a-z, ]+)\.", t)
    assert things
    options = things[1].split(", ")
    names = named(t)
    asked = re.search(r"goes with (\w+)\?", t)
    assert asked
    rows = [dict(zip(names, row, strict=True)) for row in permutations(options)]
    (answer,) = {row[asked[1]] for row in rows if all(row[who] != what for who, what in clues)}
    return answer


def _worst_case(t: str) -> object:
    """The largest draw without enough of one colour, and one more."""
    counts = [int(count) for count in re.findall(r"(\d+) (?:red|blue|green|yellow|black|white)", t)]
    wanted = int(re.findall(r"(?:sure|have|certain) (?:of )?(\d+) of", t)[0])
    return sum(min(count, wanted - 1) for count in counts) + 1


def _offspring(t: str) -> object:
    if "brothers and sisters" in t:
        girls, boys = whole(t)
        return girls + boys - 1
    numbers = whole(t)
    girls, c, boys, d = numbers if "counts" in t else (numbers[0], numbers[2], numbers[1], numbers[3])
    return girls * c + boys * d + ((girls + boys) if "descendants" in t else 0)


def _switches(t: str) -> object:
    total, _, *steps = whole(t)
    states = dict.fromkeys(range(1, total + 1), True)
    for step in steps:
        for place in range(step, total + 1, step):
            states[place] = not states[place]
    return sum(states.values())


def _queue(t: str) -> object:
    total, a, b = whole(t)
    people = list(range(1, total + 1))
    if "which number is" in t:
        return people[-b]
    if "in front of" in t:
        return len(people[a + 1 : -b - 1])
    return len(people[a:-b])


def _rota(t: str) -> object:
    names = named(t)
    turns = [name for _ in range(200) for name in names]
    return turns[whole(t)[-1] - 1]


SOLVERS: dict[str, Callable[[str], object]] = {
    "ordering": _ordering,
    "liar": _liar,
    "cups": _cups,
    "compass": _compass,
    "overlap": _overlap,
    "truths": _truths,
    "assignment": _assignment,
    "worst_case": _worst_case,
    "offspring": _offspring,
    "switches": _switches,
    "queue": _queue,
    "rota": _rota,
}


@pytest.mark.parametrize("kind", sorted(SOLVERS))
def test_the_second_reckoning_agrees(kind: str, generated: Generated) -> None:
    """Ten prompts of a kind are solved from their own words by other means; each probe's assertion takes the result."""
    for probe, judge in generated(kind):
        found = SOLVERS[kind](probe.prompt)

        verdict = judge(f"The answer is {found}.")
        assert verdict.outcome == "pass", (probe.id, probe.prompt, found, verdict.reason)
