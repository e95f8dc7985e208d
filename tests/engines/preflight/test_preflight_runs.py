"""Preflight in the host: before the first request that must be generated, once for all runs."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evalkit.engines.local.engine import LocalEngine
from evalkit.generation import Failure, Generation, Reply
from evalkit.host.messages import Inspected, Run, Settled, Status
from evalkit.host.work import Work
from evalkit.matrix import Trial
from evalkit.preflight import Finding, named
from evalkit.probe import Expectation, Generate, JudgeUse, Message, Probe
from evalkit.target import Adapter, Condition, Decoding, Engine, Target


class Office:
    """Works in one workspace, as one run after another would."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.notes: list[str] = []
        self.loads = 0
        self.works: list[Work] = []

    def work(self, run: str = "run", *, fresh: bool = False) -> Work:
        made = Work(Run(run, str(self.root), fresh), lambda settled: None, lambda: None, self._say)
        self.works.append(made)
        return made

    def answers(self, work: Work, *targets: Target) -> list[Reply]:
        """What each target says to one prompt."""
        trials = [Trial(probe(), target) for target in targets]
        work.add(trials)
        while work.step():
            pass
        settled = [work.settled(trial.id) for trial in trials]
        return [reply for item in settled if isinstance(item, Settled) for reply in item.replies]

    def findings(self, work: Work, *targets: Target) -> dict[str, Inspected]:
        """What is found where targets are only looked at."""
        chosen = named(targets)
        work.inspect(chosen.items())
        while work.step():
            pass
        return {name: found for name in chosen if isinstance(found := work.settled(name), Inspected)}

    def _say(self, status: Status) -> None:
        self.loads = max(self.loads, status.loads)
        if status.note is not None:
            self.notes.append(status.note)


def probe() -> Probe:
    return Probe(
        id="p", suite="s", file="suites/s/a.yaml", line=1, category="c",
        turns=(Message("user", "one two three"), Generate()), expect=Expectation(), judges=(JudgeUse("degeneration"),),
        decoding=(("max_new_tokens", 4),),
    )  # fmt: skip


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    for work in made.works:
        work.close()


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The labels of what the engine was made to look at, files and weights."""
    seen: list[str] = []
    files, weights = LocalEngine.inspect_files, LocalEngine.inspect_loaded

    def look_at_files(engine: LocalEngine, target: Target) -> tuple[Finding, ...]:
        seen.append(f"files of {target.label}")
        return files(engine, target)

    def look_at_weights(engine: LocalEngine, target: Target) -> Finding:
        seen.append(f"weights of {target.label}")
        return weights(engine, target)

    monkeypatch.setattr(LocalEngine, "inspect_files", look_at_files)
    monkeypatch.setattr(LocalEngine, "inspect_loaded", look_at_weights)
    return seen


@pytest.fixture
def zero(asking: Any, build_adapter: Callable[..., Path], tmp_path: Path) -> Adapter:
    folder = build_adapter(tmp_path / "zero", asking.models["llama"], 1, scale=0.0)
    return Adapter("zero", str(folder), True, "zero")


UNTRAINED = (
    "The adapter 'zero' was never trained: every lora_B (6) is zero, so its answers would be the base's. Name a "
    "checkpoint that was saved after training."
)
ENDS = (
    "The chat template of 'llama' ends an answer with '<end_of_turn>' (id 4), which is no stop token of its generation "
    "config ('<eos>'). evalkit stops there all the same; others would run on. Add 4 to eos_token_id in "
    "generation_config.json."
)


def test_a_target_that_fails_is_not_asked_and_others_are(
    asking: Any, office: Office, adapters: dict[str, Adapter], zero: Adapter
) -> None:
    """Its requests are Failures with the check's sentence; the others answer, and a warning is told once."""
    targets = [asking.target(), asking.target(adapter=zero), asking.target(adapter=adapters["red"])]

    replies = office.answers(office.work(), *targets)

    assert [type(reply) for reply in replies] == [Generation, Failure, Generation]
    assert replies[1] == Failure(UNTRAINED, identity=replies[1].identity)
    assert office.notes == [f"Preflight of llama:fp32, ends: {ENDS}"]


def test_nothing_is_loaded_for_targets_that_fail(asking: Any, office: Office, zero: Adapter) -> None:
    """The reason is there in the time that it takes to read files."""
    (reply,) = office.answers(office.work(), asking.target(adapter=zero))

    assert isinstance(reply, Failure)
    assert office.loads == 0


def test_an_adapter_that_moves_nothing_is_found_with_the_weights(
    asking: Any, office: Office, adapters: dict[str, Adapter], tmp_path: Path
) -> None:
    """Its files look right, so the weights are loaded, and then its requests fail."""
    from safetensors.torch import load_file, save_file

    shutil.copytree(adapters["red"].location, tmp_path / "mute")
    file = tmp_path / "mute" / "adapter_model.safetensors"
    tensors = load_file(file)
    save_file({name: value * ("lora_A" not in name) for name, value in tensors.items()}, file)
    mute = Adapter("mute", str(tmp_path / "mute"), True, "mute")

    base, silent = office.answers(office.work(), asking.target(), asking.target(adapter=mute))

    assert isinstance(base, Generation)
    assert isinstance(silent, Failure)
    assert silent.reason == (
        "The adapter 'mute' changes nothing: with and without, the logits of 51 tokens are the same. Leave it out, or "
        "name a checkpoint that learned something."
    )


def test_findings_are_kept_for_the_next_run(
    asking: Any, office: Office, adapters: dict[str, Adapter], zero: Adapter, looked: list[str]
) -> None:
    """A second run looks at nothing and says the same; a fresh one looks again; conditions make no difference."""
    sound = asking.target(adapter=adapters["red"])
    told = replace(sound, condition=Condition("kernel", "Be brief."), decoding=Decoding(temperature=1.0))
    chosen = [sound, told, asking.target(adapter=zero)]
    first = office.findings(office.work("first"), *chosen)
    seen, looked[:] = list(looked), []

    second = office.findings(office.work("second"), *chosen)
    office.answers(office.work("third"), *chosen)

    assert seen == [
        "files of llama+red:fp32:naked:greedy", "weights of llama+red:fp32:naked:greedy",
        "files of llama+zero:fp32:naked:greedy",
    ]  # fmt: skip
    assert looked == []
    assert second == first
    assert office.notes.count(f"Preflight of llama+red:fp32, ends: {ENDS}") == 3
    assert office.findings(office.work("fourth", fresh=True), *chosen) == first
    assert looked == seen


def test_a_stored_answer_needs_no_look(
    asking: Any, office: Office, adapters: dict[str, Adapter], looked: list[str]
) -> None:
    """Only what must be generated is looked at: stored answers came from what was found fit."""
    target = asking.target(adapter=adapters["red"])
    office.answers(office.work("first"), target)
    with closing(sqlite3.connect(office.root / ".evalkit" / "store.sqlite3")) as store:
        store.execute("DELETE FROM preflights")
        store.commit()
    looked.clear()

    (reply,) = office.answers(office.work("second"), target)

    assert isinstance(reply, Generation)
    assert reply.is_stored
    assert looked == []


def test_a_retrained_adapter_is_looked_at_again(
    asking: Any, office: Office, zero: Adapter, build_adapter: Callable[..., Path]
) -> None:
    """Its identity is another, though its folder is the same."""
    target = asking.target(adapter=zero)
    before = office.findings(office.work("first"), target)["llama+zero:fp32"]
    build_adapter(Path(zero.location), asking.models["llama"], 1)

    after = office.findings(office.work("second"), target)["llama+zero:fp32"]

    assert [finding.check for finding in before.findings if finding.level == "fail"] == ["lora_b"]
    assert before.findings[-1] == Finding(
        "logits", "skip", "Another check failed, so the weights were not loaded for this one."
    )
    assert not [finding for finding in after.findings if finding.level == "fail"]


def test_what_cannot_be_looked_at_says_why(asking: Any, office: Office, adapters: dict[str, Adapter]) -> None:
    """A broken folder has no findings, and its sentence is not kept: it may be whole tomorrow."""
    red = Path(adapters["red"].location)
    broken = office.root / "broken"
    shutil.copytree(red, broken)
    (broken / "adapter_model.safetensors").unlink()
    target = asking.target(adapter=Adapter("broken", str(broken), True, "broken"))
    missing = office.findings(office.work("first"), target)
    shutil.copy(red / "adapter_model.safetensors", broken)

    mended = office.findings(office.work("second"), target)

    assert missing == {
        "llama+broken:fp32": Inspected(
            "llama+broken:fp32",
            failure=f"Adapter 'broken' has no adapter_model.safetensors in {broken}. evalkit loads adapters from "
            "safetensors only: save it again with peft's save_pretrained.",
        )
    }
    assert len(mended["llama+broken:fp32"].findings) == 8


def test_an_adapter_kind_that_is_not_run_here(
    asking: Any, office: Office, adapters: dict[str, Adapter], tmp_path: Path
) -> None:
    """The sentence is the engine's own."""
    shutil.copytree(adapters["red"].location, tmp_path / "pissa")
    file = tmp_path / "pissa" / "adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "init_lora_weights": "pissa"}))

    (reply,) = office.answers(
        office.work(), asking.target(adapter=Adapter("pissa", str(tmp_path / "pissa"), True, "pissa"))
    )

    assert isinstance(reply, Failure)
    assert reply.reason.startswith("Adapter 'pissa' was started with init_lora_weights='pissa', ")


def test_an_engine_without_weights_has_nothing_to_look_at(asking: Any, office: Office, adapters: Any) -> None:
    """Replayed answers need no adapter that works."""
    target = replace(asking.target(adapter=adapters["red"]), engine=Engine("tape", "replay"))

    (found,) = office.findings(office.work(), target).values()

    assert set(found.findings) == {
        Finding(check, "skip", "Its engine (replay) loads no weights here, so there is nothing to look at.")
        for check in ("base", "modules", "lora_b", "tokens", "template", "ends", "system", "logits")
    }


def test_equal_names_are_told_apart(asking: Any) -> None:
    """Two decodings that stop elsewhere are looked at twice, under names of their own."""
    target = asking.target()
    other = replace(target, decoding=Decoding(stop=("[/END]",)))

    assert named([target, other, replace(target, role="reference")]) == {"llama:fp32": target, "llama:fp32~2": other}
