"""What about each target can change its text, asked of its engine once."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable

from evalkit.engines import base
from evalkit.errors import EvalkitError
from evalkit.generation import Failure
from evalkit.target import Engine, Settings, Target


class TargetFacts:
    """The facts that identities are made of; a Failure for a target that cannot be used at all."""

    def __init__(self, engine_of: Callable[[Engine], base.Engine], reading: Callable[[Target], None]) -> None:
        """``reading`` hears of every target before its files are read."""
        self._engine_of = engine_of
        self._reading = reading
        self._known: dict[Target, Settings | Failure] = {}
        self._newest: tuple[Target, Settings | Failure] | None = None

    def of(self, target: Target) -> Settings | Failure:
        if self._newest is None or self._newest[0] is not target:  # thousands of the same, which is slow to hash
            self._newest = target, self._of(target)
        return self._newest[1]

    def _of(self, target: Target) -> Settings | Failure:
        if target not in self._known:
            self._reading(target)
            try:
                self._known[target] = self._engine_of(target.engine).identity_facts(target)
            except Exception as error:
                if not isinstance(error, EvalkitError):
                    traceback.print_exc(file=sys.stderr)
                self._known[target] = Failure(str(error) or type(error).__name__)
        return self._known[target]
