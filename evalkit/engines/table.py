"""Which engine kinds there are, and how each is made."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from evalkit.engines import base
from evalkit.engines.base import Pulse
from evalkit.errors import EngineError, MissingPackage
from evalkit.target import Engine

Creator = Callable[[Engine, Pulse, Path], base.Engine]


def create(engine: Engine, pulse: Pulse, root: Path) -> base.Engine:
    """The engine a target names, ready to load; ``root`` is the workspace's folder.

    Raises:
        EngineError: no such kind.
        MissingPackage: the kind needs a package that is not installed.
    """
    creator = CREATORS.get(engine.kind)
    if creator is None:
        near = difflib.get_close_matches(engine.kind, CREATORS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise EngineError(
            f"Engine {engine.name!r}: unknown kind {engine.kind!r}; known are {', '.join(sorted(CREATORS))}.{hint}"
        )
    return creator(engine, pulse, root)


def _create_local(engine: Engine, pulse: Pulse, root: Path) -> base.Engine:
    for package in ("torch", "transformers"):
        if find_spec(package) is None:
            raise MissingPackage(f"Engine {engine.name!r}", package, "local")
    from evalkit.engines.local.engine import LocalEngine

    return LocalEngine(engine, pulse, root)


def _create_replay(engine: Engine, pulse: Pulse, root: Path) -> base.Engine:
    from evalkit.engines.replay import ReplayEngine

    return ReplayEngine(engine, pulse, root)


CREATORS: dict[str, Creator] = {"local": _create_local, "replay": _create_replay}
