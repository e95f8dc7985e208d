"""How far loading is."""

from __future__ import annotations

from typing import Any

import pytest

from evalkit.engines import base
from evalkit.engines.local import placing
from evalkit.engines.local.placing import Placing


@pytest.mark.slow
def test_what_transformers_counts(asking: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every tensor that comes to its place, from nothing to all, quantised ones too; afterwards nothing is loading."""
    monkeypatch.setattr(placing, "TOLD_EVERY_S", 0.0)
    heard: list[tuple[str, float | None]] = []
    engine = asking.engine(pulse=lambda count: bool(heard.append(engine.loading)))
    assert isinstance(engine, base.Loading)

    for kind in ("fp32", "nf4"):
        heard.clear()
        engine.load(asking.target(kind=kind), ())
        shares = [share for what, share in heard if what == "weights"]

        assert shares[0] == 0.0
        assert shares[-1] == 1.0
        assert shares == sorted(shares)
        assert len(shares) > 10
        assert engine.loading == ("", None)


def test_adapters_are_counted() -> None:
    """The bare base among them is none."""
    seen: list[tuple[str, float | None]] = []
    counted = Placing(lambda: seen.append(counted.state))

    assert list(counted.adapters(((), ("red",), ("red", "blue")))) == [(), ("red",), ("red", "blue")]
    assert seen == [("adapter 1 of 2", None), ("adapter 2 of 2", None)]
    assert counted.state == ("", None)


def test_it_is_told_ten_times_a_second() -> None:
    """However many tensors there are; the first and the last always."""
    now, seen = [0.0], []
    counted = Placing(lambda: seen.append(counted.state[1]), lambda: now[0])

    for item in counted._counted(range(1000), 1000):
        now[0] = item / 1000

    assert seen[0] == 0.0
    assert seen[-1] == 1.0
    assert len(seen) == 11


def test_other_bars_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What else transformers counts gets the bar that it would have had; a version without a hook is no error."""
    from transformers.utils import logging

    counted = Placing(lambda: None)
    with counted.weights():
        assert list(logging.tqdm([1, 2], desc="Fetching files")) == [1, 2]
        with logging.tqdm(total=3, desc=placing.BAR) as bar:
            bar.update(1)
    assert logging._tqdm_hook is None

    monkeypatch.delattr(logging, "set_tqdm_hook")
    with counted.weights():
        assert list(logging.tqdm([1, 2], desc=placing.BAR)) == [1, 2]


def test_reading_files_is_counted_in_bytes(asking: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """While digests are made, which a large model's first run waits for; a second engine knows them."""
    monkeypatch.setattr(placing, "TOLD_EVERY_S", 0.0)
    heard: list[tuple[str, float | None]] = []

    for _ in range(2):
        engine = asking.engine(pulse=lambda count: bool(heard.append(engine.loading)))  # noqa: B023
        engine.identity_facts(asking.target())
        assert engine.loading == ("", None)

    shares = [share for what, share in heard if what == "files"]
    assert len(shares) == len(heard) > 2
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
