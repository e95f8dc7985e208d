"""Looks at targets before anything is asked of them, once for all runs, and keeps what was found."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterable
from hashlib import sha256

from evalkit.engines import base
from evalkit.errors import EvalkitError, StoreError
from evalkit.generation import Failure
from evalkit.host.messages import Inspected
from evalkit.identity import canonical
from evalkit.preflight import Finding, checks_of, failures, inspected, weights_label
from evalkit.store.preflights import PreflightStore
from evalkit.target import Adapter, Engine, Model, Settings, Target

PREFLIGHT_NUMBER = 1
"""Raised by hand whenever a check may come to something else than before, or say it in other words."""
NEEDLESS = "Its engine ({}) loads no weights here, so there is nothing to look at."


class Inspector:
    """Findings of targets, from the store or from their engine.

    Those that need weights come in two parts, because the first may make the loading needless.
    """

    def __init__(
        self,
        store: PreflightStore,
        run: str,
        fresh: bool,
        facts_of: Callable[[Target], Settings | Failure],
        engine_of: Callable[[Engine], base.Engine],
        note: Callable[[str], None],
    ) -> None:
        """``fresh`` leaves the findings of earlier runs unused."""
        self._store = store
        self._run = run
        self._fresh = fresh
        self._facts_of = facts_of
        self._engine_of = engine_of
        self._note = note
        self._known: dict[Target, tuple[Finding, ...] | Failure] = {}
        self._told: set[str] = set()
        self._begun: dict[Target, tuple[Finding, ...]] = {}

    def refused_by_files(self, targets: Iterable[Target]) -> dict[Target, Failure]:
        """Those of the targets that must not be asked, as far as that is known without weights."""
        return self._refused(targets, self._begin)

    def refused_by_weights(self, targets: Iterable[Target]) -> dict[Target, Failure]:
        """The same, when the weights of all of them are loaded."""
        return self._refused(targets, self._end)

    def needs_weights(self, target: Target) -> bool:
        """Whether something is left to look at when its weights are loaded."""
        return inspected(target) in self._begun

    def found(self, target: Target) -> tuple[Finding, ...] | Failure:
        """What all checks of a target came to; a Failure where they could not be made."""
        return self._known[inspected(target)]

    def _refused(self, targets: Iterable[Target], look: Callable[[Target], None]) -> dict[Target, Failure]:
        refused: dict[Target, Failure] = {}
        for target in dict.fromkeys(targets):
            subject = inspected(target)
            try:
                look(subject)
            except EvalkitError as error:
                self._known[subject] = Failure(str(error))
            except Exception as error:
                traceback.print_exc(file=sys.stderr)
                self._known[subject] = Failure(f"{type(error).__name__}: {error}")
            found = self._known.get(subject, ())
            reason = found.reason if isinstance(found, Failure) else " ".join(failures(found))
            if reason:
                self._begun.pop(subject, None)
                refused[target] = Failure(reason)
        return refused

    def _begin(self, target: Target) -> None:
        if target in self._known or target in self._begun:
            return
        engine = self._engine_of(target.engine)
        if not isinstance(engine, base.Inspecting):
            sentence = NEEDLESS.format(target.engine.kind)
            self._known[target] = tuple(Finding(check, "skip", sentence) for check in checks_of(target))
            return
        stored = None if self._fresh else self._stored(target, engine)
        if stored is not None:
            self._conclude(target, stored)
            return
        files = engine.inspect_files(target)
        if not target.adapters:
            self._keep(target, engine, files)
        elif failures(files):
            needless = Finding("logits", "skip", "Another check failed, so the weights were not loaded for this one.")
            self._keep(target, engine, (*files, needless))
        else:
            self._begun[target] = files

    def _end(self, target: Target) -> None:
        files = self._begun.pop(target, None)
        engine = self._engine_of(target.engine)
        if files is not None and isinstance(engine, base.Inspecting):
            self._keep(target, engine, (*files, engine.inspect_loaded(target)))

    def _keep(self, target: Target, engine: base.Inspecting, findings: tuple[Finding, ...]) -> None:
        if all(finding.is_final for finding in findings):
            try:
                self._store.put(self._identity(target, engine), self._run, weights_label(target), findings)
            except StoreError as error:
                self._note(f"{error} What the preflight found is not kept.")
        self._conclude(target, findings)

    def _conclude(self, target: Target, findings: tuple[Finding, ...]) -> None:
        self._known[target] = findings
        for finding in findings:
            if finding.level == "warn" and finding.sentence not in self._told:
                self._told.add(finding.sentence)
                self._note(f"Preflight of {weights_label(target)}, {finding.check}: {finding.sentence}")

    def _stored(self, target: Target, engine: base.Inspecting) -> tuple[Finding, ...] | None:
        try:
            return self._store.find(self._identity(target, engine))
        except StoreError:
            return None

    def _identity(self, target: Target, engine: base.Inspecting) -> str:
        """The sha256 (hex) of everything that can change the findings, the names in their sentences included."""
        facts = self._facts_of(target)
        things: tuple[Model | Adapter, ...] = (target.model, *target.adapters)
        parts = {
            "preflight": PREFLIGHT_NUMBER,
            "engine": target.engine.kind,
            "facts": dict(facts) if not isinstance(facts, Failure) else facts.reason,
            "looked_at_with": dict(engine.inspection_facts),
            "names": [[thing.location, thing.shown, thing.revision] for thing in things],
            "stop": target.decoding.stop,
        }
        return sha256(canonical(parts).encode("ascii")).hexdigest()


class Inspections:
    """Targets that are only looked at and asked nothing, under the names they are wanted by."""

    def __init__(self, inspector: Inspector, load: Callable[[Target], None]) -> None:
        self._inspector = inspector
        self._load = load
        self._waiting: dict[str, Target] = {}
        self._done: dict[str, Inspected] = {}

    def add(self, named: Iterable[tuple[str, Target]]) -> None:
        """Those that are known already are left alone."""
        self._waiting.update((name, target) for name, target in named if name not in self._done)

    def __contains__(self, name: object) -> bool:
        return name in self._waiting or name in self._done

    def done(self, name: str) -> Inspected | None:
        return self._done.get(name)

    def step(self, loaded: object) -> Inspected | None:
        """Looks at one target, of the weights that are ``loaded`` if there is one; None if none is left."""
        if not self._waiting:
            return None
        same = (name for name, target in self._waiting.items() if target.weights == loaded)
        name = next(same, next(iter(self._waiting)))
        reply = self._done[name] = self._look(name, self._waiting[name])
        del self._waiting[name]
        return reply

    def _look(self, name: str, target: Target) -> Inspected:
        self._inspector.refused_by_files([target])
        if self._inspector.needs_weights(target):
            try:
                self._load(target)
            except Exception as error:
                if not isinstance(error, EvalkitError):
                    traceback.print_exc(file=sys.stderr)
                return Inspected(name, failure=str(error) or type(error).__name__)
            self._inspector.refused_by_weights([target])
        found = self._inspector.found(target)
        return Inspected(name, failure=found.reason) if isinstance(found, Failure) else Inspected(name, found)
