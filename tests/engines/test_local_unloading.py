"""More adapters than may be in memory: unloaded by need, never one that is in use, and the texts stay the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.engines.local.adapters import AdapterRack
from evalkit.generation import Failure
from evalkit.target import Adapter

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def many(
    adapters: dict[str, Adapter],
    models: dict[str, Path],
    build_adapter: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> list[Adapter]:
    """Five plain LoRAs, a DoRA and one with a trained output layer."""
    folder = tmp_path_factory.mktemp("many")
    made = [
        Adapter(f"p{seed}", str(build_adapter(folder / f"p{seed}", models["llama"], 60 + seed)), True, f"p{seed}")
        for seed in range(5)
    ]
    return [*made, adapters["dora"], adapters["head"]]


def rack_of(engine: Any, target: Any) -> AdapterRack:
    rack: AdapterRack = engine._loaded[target.weights]._rack
    return rack


def names_in_memory(rack: AdapterRack) -> set[str]:
    """The adapters of which the network holds any tensor."""
    names = (part for key, _ in rack.network.named_parameters() for part in key.split("."))
    return {name for name in names if name.startswith("evalkit")}


@pytest.mark.parametrize("most", [1, 2, 3])
def test_unloading_changes_no_text(most: int, asking: Any, many: list[Adapter], prompts: list[str]) -> None:
    """At any limit a mixed plan gives the texts of separate engines, and no more than the limit is ever in memory."""
    targets = [asking.target(), *(asking.target(adapter=adapter) for adapter in many)]
    plan = [asking.request(target, text) for text in prompts[:5] for target in targets]
    alone = {target.label: asking.engine() for target in targets}
    expected = [asking.texts(alone[request.target.label], [request])[0] for request in plan]
    engine = asking.engine(max_adapters=most)
    engine.load(targets[0], ())
    rack, seen = rack_of(engine, targets[0]), []
    load = rack._load
    rack._load = lambda *args: (load(*args), seen.append(len(names_in_memory(rack))))  # type: ignore[method-assign]

    assert asking.texts(engine, plan) == expected
    assert max(seen) == rack.loaded_count == most


def test_the_least_recently_used_one_goes(asking: Any, many: list[Adapter]) -> None:
    """What was used last stays; what is unloaded leaves no tensor behind and comes back when a batch needs it."""
    engine = asking.engine(max_adapters=2)
    target = asking.target()
    engine.load(target, ((many[0],), (many[1],)))
    rack = rack_of(engine, target)
    with rack.applied(["evalkit0000"]):
        pass

    engine.load(target, ((many[2],),))
    assert names_in_memory(rack) == {"evalkit0000", "evalkit0002"}

    with rack.applied(["evalkit0001"]):
        assert names_in_memory(rack) == {"evalkit0001", "evalkit0002"}


def test_nothing_in_use_is_unloaded(asking: Any, many: list[Adapter]) -> None:
    """While a batch runs under two adapters, a third one can be looked at, and the two stay."""
    engine = asking.engine(max_adapters=2)
    target = asking.target()
    engine.load(target, ((many[0],), (many[1],)))
    rack = rack_of(engine, target)

    with rack.applied(["evalkit0000", "evalkit0001"]):
        engine.load(target, ((many[2],),))
        assert names_in_memory(rack) == {"evalkit0000", "evalkit0001", "evalkit0002"}

    with rack.applied([None]):
        engine.load(target, ((many[3],),))
        assert rack.loaded_count == 2


def test_plain_loras_beyond_the_limit_form_groups(asking: Any, many: list[Adapter]) -> None:
    """No batch needs more adapters than may be in memory; the bare base goes with the first of them."""
    engine = asking.engine(max_adapters=2)
    requests = [asking.request(asking.target(adapter=adapter), "one two") for adapter in [None, *many]]

    replies = asking.answers(engine, requests)

    assert [dict(reply.facts)["batch_rows"] for reply in replies] == [3, 3, 3, 2, 2, 1, 1, 1]


def test_an_adapter_that_changes_while_it_is_unloaded_is_refused(
    asking: Any, many: list[Adapter], build_adapter: Callable[..., Path], tmp_path: Path
) -> None:
    """Loaded again, the files must still be those that were identified."""
    folder = build_adapter(tmp_path / "moving", asking.models["llama"], 5)
    moving = Adapter("moving", str(folder), True, "moving")
    engine = asking.engine(max_adapters=1)
    target = asking.target(adapter=moving)
    engine.load(target, ((moving,), (many[0],)))
    build_adapter(folder, asking.models["llama"], 6)

    (reply,) = asking.answers(engine, [asking.request(target, "one")])

    assert reply == Failure(
        "Adapter 'moving' changed on disk during the run, so its answers would be filed under other weights. "
        "Start the run again."
    )
