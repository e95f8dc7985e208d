"""Which targets the command line asks for, as drafts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from evalkit.errors import UsageError
from evalkit.reading.bases import base_of
from evalkit.reading.drafts import SERVED, Chain, Draft, NamedModel
from evalkit.reading.places import Place, unknown_name
from evalkit.reading.target_axes import Axes
from evalkit.reading.target_schema import TargetEntry, short_form
from evalkit.target import Role

TARGET = Place("--eval-target")
MODEL = Place("--eval-model")
ADAPTER = Place("--eval-adapter")
QUANT = Place("--eval-quant")
CONDITION = Place("--eval-condition")
DECODING = Place("--eval-decoding")
ENGINE = Place("--eval-engine")


@dataclass(frozen=True, slots=True)
class TargetChoice:
    """What the command line said; an empty tuple means: not given.

    ``targets`` are labels, names, short forms or globs; ``conditions`` are NAME, a glob or NAME=PATH; ``decodings`` are
    names or settings such as ``temperature=0.8,top_p=0.9``; ``engine`` is a name or ``replay=FILE``. ``one_by_one`` is
    for ``read_targets``: local engines run every row alone.
    """

    targets: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    adapters: tuple[str, ...] = ()
    quantisations: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    decodings: tuple[str, ...] = ()
    engine: str | None = None
    one_by_one: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """The targets that files name: ``default``, then ``named`` with their names, all in file order."""

    axes: Axes
    default: tuple[Draft, ...]
    named: tuple[tuple[str, Draft], ...]

    @property
    def known(self) -> tuple[Draft, ...]:
        """Every target that files name, once each."""
        by_label: dict[str, Draft] = {}
        for draft in (*self.default, *(draft for _, draft in self.named)):
            by_label.setdefault(draft.label, draft)
        return tuple(by_label.values())

    def drafts(self, choice: TargetChoice) -> tuple[Draft, ...]:
        """The chosen targets in order: those of ``targets`` or the default, then each axis given crossed in.

        Raises:
            UsageError: a name means nothing, or nothing is left to run.
        """
        start = self._start(choice)
        if not start:
            raise UsageError(self._nothing())
        axes = self.axes
        start = _crossed(start, [axes.quantisation(text, QUANT) for text in choice.quantisations], "quantisation")
        start = _crossed(
            start,
            [axes.condition(text, CONDITION) for text in _spelt_out(choice.conditions, axes.conditions)],
            "condition",
        )
        start = _crossed(
            start, [axes.decoding(text, DECODING) for text in _spelt_out(choice.decodings, axes.decodings)], "decoding"
        )
        if choice.engine is not None:
            start = tuple(replace(draft, engine=axes.engine(choice.engine, ENGINE)) for draft in start)
        return start

    def draft(self, entry: TargetEntry, place: Place) -> Draft:
        """The draft of a target as a file or the command line wrote it; parts left out are bf16, naked and greedy."""
        draft = self._plain(self.axes.model(entry.model, place), place)
        adapters = tuple(self.axes.adapter(name, place) for name in entry.adapter)
        draft = replace(draft, adapters=adapters, merged=entry.merged)
        draft = replace(draft, role=entry.role or self._role(draft))
        if entry.quantisation is not None:
            draft = replace(draft, quantisation=self.axes.quantisation(entry.quantisation, place))
        if entry.condition is not None:
            draft = replace(draft, condition=self.axes.condition(entry.condition, place))
        if entry.decoding is not None:
            draft = replace(draft, decoding=self.axes.decoding(entry.decoding, place))
        if entry.engine is not None:
            draft = replace(draft, engine=self.axes.engine(entry.engine, place))
        return draft

    def _start(self, choice: TargetChoice) -> tuple[Draft, ...]:
        """The targets after the model and the adapter axis."""
        models = tuple(self.axes.model(text, MODEL) for text in choice.models)
        chains = tuple(self.axes.chain(text, ADAPTER) for text in choice.adapters)
        if choice.targets:
            start = tuple(draft for text in choice.targets for draft in self._matching(text))
            start = tuple(self._on(draft, model) for draft in start for model in models) if models else start
            return tuple(self._with(draft, chain) for draft in start for chain in chains) if chains else start
        if models:
            start = tuple(self._on(draft, model) for model in models for draft in self._of_kind(model))
            return tuple(self._with(draft, chain) for draft in start for chain in chains) if chains else start
        return self._with_their_bases(chains) if chains else self.default

    def _with_their_bases(self, chains: tuple[Chain, ...]) -> tuple[Draft, ...]:
        """Adapters given without a model: each brings its base; ``none`` is run on every base so brought."""
        bases = [base_of(chain.adapters[0], self.axes) if chain.adapters else None for chain in chains]
        different: list[NamedModel] = []
        for base in bases:
            if base is not None and not any(_is_same(base, other) for other in different):
                different.append(base)
        if not different:
            return tuple(self._with(draft, Chain()) for draft in self.default)
        return tuple(
            self._with(self._on(draft, model), chain)
            for model in different
            for draft in self._of_kind(model)
            for chain, base in zip(chains, bases, strict=True)
            if base is None or _is_same(base, model)
        )

    def _of_kind(self, model: NamedModel) -> tuple[Draft, ...]:
        """What a model given alone is put into: the default targets, demo or not as it is, else one plain target."""
        alike = tuple(draft for draft in self.default if draft.model.model.is_demo == model.model.is_demo)
        return alike or (self._plain(model, MODEL),)

    def _plain(self, model: NamedModel, place: Place) -> Draft:
        """A model alone: bf16 on the local engine or as its server holds it, naked, greedy, as the files declare it."""
        axes = self.axes
        held = "bf16" if model.engine is None else SERVED
        return Draft(
            model, place, (), axes.quantisations[held], axes.conditions["naked"], axes.decodings["greedy"],
            model.engine or axes.engines["local"],
        )  # fmt: skip

    def _on(self, draft: Draft, model: NamedModel) -> Draft:
        """The draft with another model; one that is served and one that is loaded differ in more than the weights."""
        moved = replace(draft, model=model, place=MODEL)
        if model.engine is not None or draft.model.engine is not None:
            plain = self._plain(model, MODEL)
            moved = replace(moved, quantisation=plain.quantisation, engine=plain.engine)
        return replace(moved, role=self._role(moved))

    def _with(self, draft: Draft, chain: Chain) -> Draft:
        moved = replace(draft, adapters=chain.adapters, merged=chain.merged, place=ADAPTER)
        return replace(moved, role=self._role(moved))

    def _role(self, draft: Draft) -> Role:
        """The role that files give to this model with these adapters, in whatever condition."""
        return next((known.role for known in self.known if known.weights == draft.weights), "subject")

    def _matching(self, text: str) -> tuple[Draft, ...]:
        """The targets a text of --eval-target names: by glob, name, label, the label's first parts, or short form."""
        if any(character in text for character in "*?["):
            found = tuple(draft for draft in self.known if fnmatchcase(draft.label, text))
            if not found:
                raise TARGET.error(f"no target matches {text!r}. {self._listed()}")
            return found
        named = tuple(draft for name, draft in self.named if name == text)
        found = named or tuple(draft for draft in self.known if f"{draft.label}:".startswith(f"{text}:"))
        if found:
            return found
        try:
            entry = TargetEntry.model_validate(short_form(text))
        except ValueError as error:
            raise TARGET.error(f"{error}.") from error
        if entry.is_bare and text not in self.axes.models and "/" not in text:
            names = [name for name, _ in self.named] + [draft.label for draft in self.known] + list(self.axes.models)
            raise TARGET.error(unknown_name("target or model", text, names))
        return (self.draft(entry, TARGET),)

    def _nothing(self) -> str:
        return (
            "No target to run: fixtures/targets.yaml names none under default:. Add one there, or pass --eval-target "
            f"or --eval-model. {self._listed()}"
        )

    def _listed(self) -> str:
        return f"Known targets: {', '.join(draft.label for draft in self.known) or 'none yet'}."


def _spelt_out(texts: Sequence[str], declared: Iterable[str]) -> tuple[str, ...]:
    """The texts, each glob replaced by the names that it matches; one that matches none stays, to be complained of."""
    known = tuple(declared)
    spelt: dict[str, None] = {}
    for text in texts:
        matching = [name for name in known if fnmatchcase(name, text)] if "=" not in text else []
        spelt.update(dict.fromkeys(matching or [text]))
    return tuple(spelt)


def _crossed(drafts: tuple[Draft, ...], values: Sequence[Any], axis: str) -> tuple[Draft, ...]:
    """Every draft with every value on that axis; unchanged where none was given."""
    return tuple(replace(draft, **{axis: value}) for draft in drafts for value in values) if values else drafts


def _is_same(one: NamedModel, other: NamedModel) -> bool:
    return one.location.is_same(other.location) and one.model.revision == other.model.revision
