"""The progress line says how much memory a target will take while it loads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evalkit.host.messages import Run, Status
from evalkit.host.work import Work
from evalkit.matrix import Trial
from evalkit.probe import Expectation, Generate, Message, Probe
from evalkit.target import Engine


def test_the_estimate_is_on_the_line_while_a_model_loads(asking: Any, tmp_path: Path) -> None:
    """Said once, before the weights are there; afterwards the line has the label alone."""
    settings = (("batch_tokens", 1024), ("device", "cpu"), ("memory_limit_mib", 64), ("threads", 1))
    target = asking.target(engine=Engine("local", "local", settings))
    probe = Probe(
        id="p", suite="s", file="suites/s/a.yaml", line=1, category="c",
        turns=(Message("user", "one"), Generate()), expect=Expectation(), judges=(),
    )  # fmt: skip
    said: list[Status] = []
    work = Work(Run("r", str(tmp_path)), lambda settled: None, lambda: None, said.append)

    work.add([Trial(probe, target, 0)])
    while work.step():
        pass
    work.close()

    assert next(status.target for status in said if status.phase == "loading") == (
        "llama:fp32:naked:greedy, about 2 MiB: weights 1 MiB (fp32), cache of a full batch 1 MiB; 64 MiB by "
        "memory_limit_mib"
    )
    assert {status.target for status in said if status.phase == "generating"} == {"llama:fp32:naked:greedy"}
