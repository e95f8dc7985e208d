"""The probes of one template: every combination of its lists' values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from evalkit.errors import Problem
from evalkit.probe import Probe, Turn
from evalkit.reading.entries import MAX_PROBES, BuiltProbe, FileContext, build_probe
from evalkit.reading.expanding.ids import combinations, made_up_id
from evalkit.reading.expanding.lists import ListReader, NamedList
from evalkit.reading.expanding.placeholders import Texts, WrongPlaceholder, used_names
from evalkit.reading.expanding.template import FILLED_KEYS, Rewording, entry_with, is_filled, places
from evalkit.reading.yaml_parts import FieldPath

MAX_FILLED_CHARS = 200_000_000


@dataclass(frozen=True, slots=True)
class Expanded:
    """All probes of a template in the order of its lists, the last list varying fastest, and the first of them."""

    id: str
    first: BuiltProbe
    probes: tuple[Probe, ...]


def expanded(file: FileContext, lists: ListReader, index: int, raw: dict[str, Any]) -> Expanded | list[Problem]:
    """What the entry at ``index`` with its key ``expand`` makes, or everything that is wrong with it."""
    at: FieldPath = ("probes", index)
    named, problems = lists.read(raw["expand"], (*at, "expand"))
    file.named_files.update(lists.digests)
    total = prod(len(one.values) for one in named)
    if not problems and total > MAX_PROBES:
        message = f"the lists make {total:,} probes; at most {MAX_PROBES:,} are read. Shorten a list."
        problems = [file.document.problem((*at, "expand"), message)]
    if problems:
        return problems
    found = list(places(raw))
    problems = list(_placeholder_problems(file, at, found, named))
    if problems:
        return problems
    try:
        return _Crossing(file, index, raw, named, found).probes()
    except WrongPlaceholder as error:
        return [file.document.problem(at, str(error))]


def _placeholder_problems(
    file: FileContext, at: FieldPath, found: Sequence[tuple[FieldPath, str]], lists: Sequence[NamedList]
) -> Iterator[Problem]:
    """Placeholders that cannot be filled in, and lists that none of them names."""
    used: set[str] = set()
    is_right = True
    for path, text in found:
        try:
            used.update(used_names(text, lists))
            if not is_filled(path):
                raise WrongPlaceholder(f"no placeholder is filled in here. They can stand in {', '.join(FILLED_KEYS)}.")
        except WrongPlaceholder as error:
            is_right = False
            yield file.document.problem((*at, *path), str(error))
    for one in lists:
        if is_right and one.name not in used:
            shown = one.name if one.fields is None else f"{one.name}.{one.fields[0]}"
            message = (
                f"no placeholder names the list {one.name!r}. Write {{{{ {shown} }}}} where it belongs, or remove it."
            )
            yield file.document.problem((*at, "expand", one.name), message)


class _Crossing:
    """Makes the probes of one template whose lists and placeholders are right."""

    def __init__(
        self,
        file: FileContext,
        index: int,
        raw: dict[str, Any],
        lists: Sequence[NamedList],
        found: Sequence[tuple[FieldPath, str]],
    ) -> None:
        self._file = file
        self._index = index
        self._at: FieldPath = ("probes", index)
        self._lists = lists
        self._found = found
        self._paths = [path for path, _ in found]
        self._texts = Texts([text for _, text in found], lists)
        self._rewording = Rewording(raw, self._paths)
        self._id = raw["id"] if "id" in raw else made_up_id(raw, file.taken_ids)
        self._raw = {**raw, "id": self._id}
        self._first: BuiltProbe | None = None
        self._wrong: dict[tuple[int | None, str | None], list[tuple[str, Problem]]] = defaultdict(list)

    def probes(self) -> Expanded | list[Problem]:
        made: list[Probe] = []
        chars = 0
        for values, suffix in combinations(self._lists, str(self._id)):
            try:
                texts = self._texts.filled(values)
            except WrongPlaceholder as error:
                message = f"{error}{_found_in([f'{self._id}{suffix}'])}"
                return [self._file.document.problem((*self._at, *self._path_of(values)), message)]
            chars += sum(map(len, texts))
            if chars > MAX_FILLED_CHARS:
                message = f"its probes hold more than {MAX_FILLED_CHARS:,} characters. Shorten a list."
                return [self._file.document.problem((*self._at, "expand"), message)]
            found = self._probe(suffix, texts)
            if isinstance(found, Probe):
                made.append(found)
            elif not made and not self._wrong and not any(self._is_of_values(problem) for problem in found):
                return found
            else:
                self._keep(found, f"{self._id}{suffix}")
        if self._wrong or self._first is None:
            return self._problems()
        return self._equal_prompts(made) or Expanded(self._id, self._first, tuple(made))

    def _probe(self, suffix: str, texts: list[str]) -> Probe | list[Problem]:
        """The probe that these texts make: a copy of the first one where words alone differ, else read as any entry."""
        built = self._first
        changes = None if built is None else self._rewording.changes(built.probe, texts)
        if built is None or changes is None:
            found = build_probe(self._file, self._index, entry_with(self._raw, self._paths, texts))
            if isinstance(found, list):
                return found
            built, changes = found, {}
            self._first = self._first or built
        probe = built.probe
        if probe.formerly:
            changes["formerly"] = tuple(old + suffix for old in probe.formerly)
        return replace(probe, id=f"{self._id}{suffix}", cluster=probe.cluster or self._id, **changes)

    def _path_of(self, values: dict[str, Any]) -> FieldPath:
        """The first text that cannot be filled in with these values."""
        for path, text in self._found:
            try:
                Texts([text], self._lists).filled(values)
            except WrongPlaceholder:
                return path
        return ()

    def _is_of_values(self, problem: Problem) -> bool:
        """Whether the mistake can come from a value: it is where a placeholder stands, or around one in the entry."""
        whole, *shown = (self._file.document.problem((*self._at, *path), "").path or "" for path in ((), *self._paths))
        return problem.path != whole and any(path.startswith(problem.path or "") for path in shown)

    def _keep(self, problems: list[Problem], name: str) -> None:
        for problem in problems:
            self._wrong[problem.line, problem.path].append((name, problem))

    def _problems(self) -> list[Problem]:
        """Each mistake once, with the first probe that has it and how many more do."""
        return [
            replace(found[0][1], message=found[0][1].message + _found_in([name for name, _ in found]))
            for found in self._wrong.values()
        ]

    def _equal_prompts(self, made: list[Probe]) -> list[Problem]:
        """Two probes that ask the same are one probe with two expectations."""
        first: dict[tuple[Turn, ...], str] = {}
        twins = [
            (probe.id, first[probe.turns]) for probe in made if first.setdefault(probe.turns, probe.id) != probe.id
        ]
        if not twins:
            return []
        (later, earlier), more = twins[0], len(twins) - 1
        also = f" (and {more:,} more such pairs)" if more > 1 else " (and one more such pair)" if more else ""
        message = (
            f"the probes {earlier!r} and {later!r} ask the same{also}. Name every list in the prompt or the turns, or "
            "put values that belong together into one list of mappings."
        )
        return [self._file.document.problem((*self._at, "expand"), message)]


def _found_in(names: Sequence[str]) -> str:
    first, more = names[0], len(names) - 1
    return f" Found in the probe {first!r}{f' and {more:,} more' if more else ''}."
