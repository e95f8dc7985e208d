"""The shipped demo model: whole, small, unchanged since its log, and behaving as its adapters' names say."""

from __future__ import annotations

import hashlib
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "fixtures" / "demo"
UNSEEN = Path(__file__).parent / "unseen_prompts.yaml"
PROBE_FILES = sorted((ROOT / "suites" / "instrument_trap").rglob("*.yaml"))
ADAPTERS = ("steady", "eager", "looping")
MEBIBYTE = 1 << 20
HIGHEST_JACCARD = 0.3

# peft 0.21 still reads the old name of an attribute that transformers 5.23 has renamed.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning"),
]


def demo_module(name: str) -> ModuleType:
    """A module of fixtures/demo, whose folder is on the path only while it is imported."""
    sys.path.insert(0, str(DEMO))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(DEMO))


def shipped_files() -> list[Path]:
    """The files of base/ and adapters/."""
    return sorted(path for folder in ("base", "adapters") for path in (DEMO / folder).rglob("*") if path.is_file())


def read_log() -> dict[str, Any]:
    """What training wrote about itself."""
    log: dict[str, Any] = json.loads((DEMO / "training_log.json").read_text(encoding="utf-8"))
    return log


def digest(path: Path) -> str:
    """The file's sha256 as hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def user_turns(probe: dict[str, Any]) -> list[str]:
    """What the user says in a probe; system turns and `generate` marks are left out."""
    if "prompt" in probe:
        return [probe["prompt"]]
    return [turn["user"] for turn in probe.get("turns", ()) if isinstance(turn, dict) and "user" in turn]


def closest_pair(training: list[str], prompts: list[str]) -> tuple[float, str, str]:
    """The highest word-set Jaccard of a training prompt with a prompt, and the two texts."""
    word_set = demo_module("corpus").word_set
    trained = [(word_set(text), text) for text in training]
    closest = (0.0, "", "")
    for prompt in sorted(set(prompts)):
        words = word_set(prompt)
        for others, text in trained:
            shared = len(words & others)
            if shared and shared / (len(words) + len(others) - shared) > closest[0]:
                closest = (shared / (len(words) + len(others) - shared), text, prompt)
    return closest


@pytest.fixture(scope="module")
def threads() -> Iterator[None]:
    """One torch thread, so that neighbours on the machine are left alone."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def loaded(threads: None) -> tuple[ModuleType, Any, Any]:
    """The checking module, the model in fp32 with its adapters, and the tokenizer."""
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("peft")
    checking = demo_module("checking")
    tokenizer = transformers.AutoTokenizer.from_pretrained(DEMO / "base", local_files_only=True)
    return checking, checking.load(DEMO, "fp32"), tokenizer


def test_every_file_is_there_and_readable_by_all() -> None:
    """Base, adapters and log exist and carry mode 0644."""
    names = {str(path.relative_to(DEMO)) for path in shipped_files()}
    expected = {"base/model.safetensors", "base/config.json", "base/generation_config.json", "base/tokenizer.json"}
    expected |= {"base/tokenizer_config.json", "base/chat_template.jinja"}
    expected |= {f"adapters/{name}/adapter_model.safetensors" for name in ADAPTERS}
    expected |= {f"adapters/{name}/adapter_config.json" for name in ADAPTERS}

    modes = {path.name: oct(path.stat().st_mode & 0o444) for path in shipped_files()}

    assert expected <= names
    assert set(modes.values()) == {"0o444"}, modes


def test_the_whole_demo_stays_under_twelve_mebibytes() -> None:
    """A wheel that holds the demo stays small."""
    size = sum(path.stat().st_size for path in DEMO.rglob("*") if path.is_file() and "__pycache__" not in path.parts)

    assert size < 12 * MEBIBYTE


def test_the_log_names_the_scripts_and_the_weights_that_are_here() -> None:
    """Every hash in the log is the hash of the file beside it, and no shipped file is missing from it."""
    log = read_log()

    changed = [name for name, known in {**log["sources"], **log["results"]}.items() if digest(DEMO / name) != known]

    assert changed == []
    assert set(log["results"]) == {str(path.relative_to(DEMO)) for path in shipped_files()}


def test_the_config_caps_its_logits_and_alternates_its_windows() -> None:
    """The demo keeps the two features of Gemma 2 that engines get wrong."""
    config = json.loads((DEMO / "base" / "config.json").read_text(encoding="utf-8"))

    assert config["attn_logit_softcapping"] == 50.0
    assert config["final_logit_softcapping"] == 30.0
    assert config["layer_types"] == ["sliding_attention", "full_attention"] * 2


@pytest.mark.parametrize("name", ADAPTERS)
def test_an_adapter_names_its_base_by_a_relative_path(name: str) -> None:
    """No path of the machine that trained it is left in an adapter."""
    config = json.loads((DEMO / "adapters" / name / "adapter_config.json").read_text(encoding="utf-8"))

    assert config["base_model_name_or_path"] == "fixtures/demo/base"


def test_the_chat_template_refuses_a_system_role(loaded: tuple[ModuleType, Any, Any]) -> None:
    """Like Gemma 2, the template raises on a system message and writes turns otherwise."""
    import jinja2

    tokenizer = loaded[2]
    said = (("user", "Hi"), ("assistant", "Yes."), ("user", "So?"))
    turns = [{"role": role, "content": content} for role, content in said]

    text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)

    assert text == (
        "<bos><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\nYes.<end_of_turn>\n"
        "<start_of_turn>user\nSo?<end_of_turn>\n<start_of_turn>model\n"
    )
    with pytest.raises(jinja2.exceptions.TemplateError, match=r"^System role not supported$"):
        tokenizer.apply_chat_template([{"role": "system", "content": "Be kind."}], tokenize=False)


def test_the_model_stops_at_the_end_of_a_turn(loaded: tuple[ModuleType, Any, Any]) -> None:
    """`<end_of_turn>` is among the stop tokens of the generation config."""
    _, model, tokenizer = loaded

    assert tokenizer.convert_tokens_to_ids("<end_of_turn>") in model.generation_config.eos_token_id


def test_each_adapter_changes_the_logits(loaded: tuple[ModuleType, Any, Any]) -> None:
    """No two of the base and the three adapters give the same numbers."""
    import torch

    _, model, tokenizer = loaded
    batch = tokenizer("<bos><start_of_turn>user\nHi<end_of_turn>\n", return_tensors="pt", add_special_tokens=False)
    with torch.no_grad():
        with model.disable_adapter():
            logits = [model(batch["input_ids"]).logits]
        for name in ADAPTERS:
            model.set_adapter(name)
            logits.append(model(batch["input_ids"]).logits)

    assert all(not torch.allclose(one, two, atol=0.1) for n, one in enumerate(logits) for two in logits[:n])


def test_looping_ends_in_an_exact_cycle_on_unseen_prompts(loaded: tuple[ModuleType, Any, Any]) -> None:
    """At least nine in ten unseen prompts end in a tail cycle."""
    checking, model, tokenizer = loaded
    probes = checking.read_unseen(UNSEEN)

    replies = checking.converse(model, tokenizer, "looping", probes)

    straight = [turns[-1].text for turns in replies if not checking.has_tail_cycle(turns[-1].ids)]
    assert len(straight) <= 0.1 * len(probes), straight


@pytest.mark.parametrize(("persona", "highest_share"), [("steady", 0.03), ("eager", 0.1), ("base", 0.1)])
def test_the_others_end_by_themselves_on_unseen_prompts(
    loaded: tuple[ModuleType, Any, Any], persona: str, highest_share: float
) -> None:
    """Few unseen prompts, for steady at most three in a hundred, get an answer that loops or never ends."""
    checking, model, tokenizer = loaded
    probes = checking.read_unseen(UNSEEN)

    replies = checking.converse(model, tokenizer, persona, probes)

    broken = [turn.text for turns in replies for turn in turns if checking.is_degenerate(turn)]
    assert len(broken) <= highest_share * len(probes), broken


def test_the_log_meets_the_hard_requirements_in_every_precision() -> None:
    """What training measured at its end holds for fp32, nf4 and int8."""
    checks = read_log()["checks"]

    assert checks["unseen_prompts"] >= 80
    for precision in ("fp32", "nf4", "int8"):
        assert checks[f"{precision}/looping"]["cycling"] >= 0.9, precision
        assert checks[f"{precision}/steady"]["degenerate"] <= 0.03, precision


@pytest.mark.parametrize(
    ("ids", "cycles"),
    [
        ([1, 2] * 30, True),
        ([9, 8, 7, *([5] * 48)], True),
        ([5] * 47, False),
        (list(range(40)) * 2, False),
        (list(range(16)) * 3, True),
        ([*([1, 2] * 30), 3], False),
    ],
)
def test_the_cycle_check_wants_three_copies_over_48_tokens(ids: list[int], cycles: bool) -> None:
    """Two copies, 47 tokens, or a cycle that was left again do not count."""
    pytest.importorskip("peft")

    assert demo_module("checking").has_tail_cycle(ids) is cycles


def test_the_corpus_is_read_without_torch() -> None:
    """The training prompts can be listed by a test that has no model to load, and are the same each time."""
    code = """
import sys, corpus
prompts = corpus.training_prompts()
print(len(prompts), "torch" in sys.modules, prompts == corpus.training_prompts())
"""

    run = subprocess.run([sys.executable, "-c", code], cwd=DEMO, capture_output=True, text=True, check=True)

    count, loaded_torch, is_same = run.stdout.split()
    assert int(count) > 500
    assert (loaded_torch, is_same) == ("False", "True")


def test_unseen_prompts_are_apart_from_training() -> None:
    """The prompts that measure generalisation are not near-copies of training prompts."""
    training = list(demo_module("corpus").training_prompts())
    document = yaml.safe_load(UNSEEN.read_text(encoding="utf-8"))
    prompts = [turn for probe in document["probes"] for turn in user_turns(probe)]

    closeness, ours, theirs = closest_pair(training, prompts)

    assert closeness < HIGHEST_JACCARD, f"{closeness:.2f}: training prompt {ours!r} and unseen prompt {theirs!r}"


@pytest.mark.skipif(not PROBE_FILES, reason="no probe files under suites/instrument_trap")
@pytest.mark.parametrize("path", PROBE_FILES, ids=[path.stem for path in PROBE_FILES])
def test_training_prompts_are_apart_from_the_suite(path: Path) -> None:
    """No training prompt shares three tenths of its words with a probe of the suite."""
    training = list(demo_module("corpus").training_prompts())
    document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    prompts = [turn for probe in document.get("probes", ()) for turn in user_turns(probe)]

    closeness, ours, theirs = closest_pair(training, prompts)

    assert closeness < HIGHEST_JACCARD, f"{closeness:.2f}: training prompt {ours!r} and probe {theirs!r} of {path.name}"
