"""Which engine kinds there are, and how each is made."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

from evalkit.engines import base
from evalkit.engines.base import Pulse
from evalkit.engines.servers.api import Api
from evalkit.engines.servers.budget import Budget
from evalkit.errors import EngineError, MissingPackage
from evalkit.target import Engine

_OF_LOCAL = ("torch", "transformers")
Creator = Callable[[Engine, Pulse, Path, Budget], base.Engine]


def create(engine: Engine, pulse: Pulse, root: Path, budget: Budget | None = None) -> base.Engine:
    """The engine a target names, ready to load; ``root`` is the workspace's folder.

    ``budget`` is what all servers of the run may spend together; without one, nothing that has a price is asked.

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
    return creator(engine, pulse, root, budget or Budget(0.0))


def preparations(kinds: Iterable[str]) -> Iterator[str]:
    """Imports what engines of these kinds load with, one package a step; what cannot be had is the engine's to say."""
    if "local" in kinds and all(find_spec(package) is not None for package in _OF_LOCAL):
        from evalkit.engines.local.libraries import libraries

        yield from libraries()


def _create_local(engine: Engine, pulse: Pulse, root: Path, budget: Budget) -> base.Engine:
    for package in _OF_LOCAL:
        if find_spec(package) is None:
            raise MissingPackage(f"Engine {engine.name!r}", package, "local")
    from evalkit.engines.local.engine import LocalEngine

    return LocalEngine(engine, pulse, root)


def _create_replay(engine: Engine, pulse: Pulse, root: Path, budget: Budget) -> base.Engine:
    from evalkit.engines.replay import ReplayEngine

    return ReplayEngine(engine, pulse, root)


def _create_anthropic(engine: Engine, pulse: Pulse, root: Path, budget: Budget) -> base.Engine:
    from evalkit.engines.servers.anthropic_api import AnthropicApi

    return _server(engine, pulse, AnthropicApi(), budget)


def _create_openai(engine: Engine, pulse: Pulse, root: Path, budget: Budget) -> base.Engine:
    from evalkit.engines.servers.openai_compatible import OpenAICompatible

    return _server(engine, pulse, OpenAICompatible(), budget)


def _server(engine: Engine, pulse: Pulse, api: Api, budget: Budget) -> base.Engine:
    """Its package is imported with the first request: stored answers need none."""
    from evalkit.engines.servers.engine import ServerEngine

    return ServerEngine(engine, pulse, api, budget)


CREATORS: dict[str, Creator] = {
    "local": _create_local,
    "replay": _create_replay,
    "anthropic": _create_anthropic,
    "openai": _create_openai,
}
