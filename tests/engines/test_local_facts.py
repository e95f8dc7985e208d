"""Device, dtype, settings and hub revisions are known, or refused in a sentence, without torch."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from evalkit.engines.local import facts, sources
from evalkit.engines.local.digests import DigestCache
from evalkit.engines.local.settings import LocalSettings
from evalkit.engines.local.sources import Sources
from evalkit.errors import EngineError
from evalkit.target import Adapter, Engine, Model, Quantisation

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ((("device", "gpu"),), "Engine 'local': device: expected one of auto, cpu, cuda; found 'gpu'."),
        ((("threads", 0),), "Engine 'local': threads: expected a whole number of at least 1; found 0."),
        ((("batch_tokens", True),), "Engine 'local': batch_tokens: expected a whole number of at least 1; found True."),
        ((("max_batch_row", 4),), "Engine 'local': unknown setting 'max_batch_row'. Did you mean 'max_batch_rows'?"),
        (
            (("zzz", 4),),
            "Engine 'local': unknown setting 'zzz'. Known settings: device, threads, max_batch_rows, batch_tokens, "
            "max_adapters, memory_limit_mib, one_by_one, prefix_reuse.",
        ),
    ],
)
def test_wrong_settings_are_refused(settings: Any, sentence: str) -> None:
    """A setting that is unknown or of the wrong kind is never dropped."""
    with pytest.raises(EngineError) as caught:
        LocalSettings.of(Engine("local", "local", settings))

    assert str(caught.value) == sentence


def test_settings_have_defaults_for_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads leave one core free, and batches may be larger on CUDA."""
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    settings = LocalSettings.of(Engine())

    assert (settings.thread_count, settings.max_batch_rows) == (7, 32)
    assert (settings.token_bound("cpu"), settings.token_bound("cuda")) == (16384, 131072)
    assert LocalSettings.of(Engine(settings=(("batch_tokens", 5), ("threads", 3)))).token_bound("cuda") == 5


def test_cuda_is_only_worth_asking_for_where_its_driver_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No driver file, or devices hidden by the environment: torch need not be imported to know."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert not facts.may_have_cuda(tmp_path)
    (tmp_path / "nvidia0").touch()
    assert facts.may_have_cuda(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert not facts.may_have_cuda(tmp_path)


def test_a_cuda_device_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking for cuda without one is an error, never a silent fall back to the CPU."""
    monkeypatch.setattr(facts, "may_have_cuda", lambda: False)

    assert facts.device_type(LocalSettings()) == "cpu"
    with pytest.raises(EngineError) as caught:
        facts.device_type(LocalSettings(device="cuda"))
    assert str(caught.value) == (
        "Device 'cuda' is asked for, and torch finds no CUDA device here. Use 'auto' or 'cpu'."
    )


@pytest.mark.parametrize(
    ("kind", "device", "dtype"),
    [("fp32", "cuda", "fp32"), ("bf16", "cpu", "bf16"), ("nf4", "cpu", "fp32"), ("nf4", "cuda", "bf16"),
     ("int8", "cpu", "fp32"), ("int8", "cuda", "bf16")],
)  # fmt: skip
def test_compute_dtype_follows_kind_and_device(kind: Any, device: str, dtype: str) -> None:
    """Plain weights compute in their own dtype; quantised ones in fp32 on CPU and bf16 on CUDA."""
    assert facts.compute_dtype(Quantisation(kind, kind), device) == dtype


def test_four_bit_path_of_the_cpu() -> None:
    """4-bit weights are multiplied in one way on every CPU; other kinds and devices have no such path."""
    assert facts.cpu_four_bit_path(Quantisation("nf4", "nf4"), "cpu") == "dequantise"
    assert facts.cpu_four_bit_path(Quantisation("nf4", "nf4"), "cuda") is None
    assert facts.cpu_four_bit_path(Quantisation("int8", "int8"), "cpu") is None


def test_digests_outlive_the_process(tmp_path: Path) -> None:
    """The digest cache is a file; a broken or unwritable one is no error."""
    file = tmp_path / "deep" / "digests.json"
    first = DigestCache(file)
    first["a"] = "1"
    first["b"] = "2"
    del first["b"]

    assert dict(DigestCache(file)) == {"a": "1"}
    assert (len(first), file.parent.stat().st_mode & 0o777 > 0) == (1, True)
    file.write_text("{broken")
    assert dict(DigestCache(file)) == {}
    (tmp_path / "plain").touch()
    unwritable = DigestCache(tmp_path / "plain" / "digests.json")
    unwritable["a"] = "1"
    assert unwritable["a"] == "1"


@pytest.fixture
def hub_cache(models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub cache that holds ``owner/tiny`` at COMMIT as its main revision."""
    from huggingface_hub import constants

    repository = tmp_path / "hub" / "models--owner--tiny"
    shutil.copytree(models["llama"], repository / "snapshots" / COMMIT)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.setattr(constants, name, str(tmp_path / "hub"), raising=False)
    monkeypatch.setattr("huggingface_hub.file_download.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(sources, "_ask_hub", lambda thing: None)
    return tmp_path / "hub"


def test_a_hub_model_is_identified_by_its_commit(hub_cache: Path) -> None:
    """Offline, the cached copy's commit is the identity, and a full commit needs no look-up at all."""
    found = Sources({})

    assert found.digest(Model("t", "owner/tiny", False, "owner/tiny")) == f"owner/tiny@{COMMIT}"
    other = "f" * 40
    assert found.digest(Model("t", "owner/tiny", False, "owner/tiny", other)) == f"owner/tiny@{other}"


def test_a_cached_hub_model_generates_offline(hub_cache: Path, asking: Any) -> None:
    """A model in the hub cache loads without a network and answers as its folder does."""
    from dataclasses import replace

    local = asking.target()
    remote = replace(local, model=Model("t", "owner/tiny", False, "owner/tiny"))

    texts = asking.texts(asking.engine(), [asking.request(remote, "the rain")])

    assert texts == asking.texts(asking.engine(), [asking.request(local, "the rain")])


@pytest.mark.parametrize(
    ("thing", "sentence"),
    [
        (
            Model("t", "owner/other", False, "owner/other"),
            "Model 'owner/other' is not in the local hub cache and the hub cannot be reached. Download it once with: "
            "hf download owner/other",
        ),
        (
            Adapter("t", "owner/other", False, "tuned"),
            "Adapter 'tuned' is not in the local hub cache and the hub cannot be reached. Download it once with: "
            "hf download owner/other",
        ),
        (
            Model("t", "owner/tiny", False, "owner/tiny", "v9"),
            "Revision 'v9' of model 'owner/tiny' is not in the local hub cache and the hub cannot be reached. Download "
            "it once with: hf download owner/tiny --revision v9",
        ),
        (
            Model("t", "a/b/c", False, "a/b/c"),
            "Model 'a/b/c' is neither a folder nor a hub id of the form owner/name.",
        ),
    ],
)
def test_what_is_not_there_is_said(thing: Any, sentence: str, hub_cache: Path) -> None:
    """A repository that is neither cached nor reachable, or no repository at all, has its sentence."""
    with pytest.raises(EngineError) as caught:
        Sources({}).digest(thing)

    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("GatedRepoError", "Model 'm' is gated. Accept its terms at https://huggingface.co/o/m and set HF_TOKEN."),
        ("RepositoryNotFoundError", "Model 'm' is not on the hub, or is private. Check the name, or set HF_TOKEN."),
        ("RevisionNotFoundError", "Model 'm' has no revision 'v9' on the hub."),
    ],
)
def test_what_the_hub_refuses_is_said(error: str, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gated, missing or misspelt repository is told apart by the hub's own errors."""
    from huggingface_hub import HfApi, constants, errors

    def refuse(*args: Any, **options: Any) -> None:
        kind = getattr(errors, error)
        raise kind.__new__(kind)

    monkeypatch.setattr(constants, "is_offline_mode", lambda: False)
    monkeypatch.setattr(HfApi, "model_info", refuse)

    with pytest.raises(EngineError) as caught:
        Sources({}).digest(Model("m", "o/m", False, "m", "v9"))
    assert str(caught.value) == sentence


def test_an_unreachable_hub_falls_back_to_the_cache(hub_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Network trouble while asking for the commit is no error where the model is cached."""
    from huggingface_hub import HfApi, constants

    def refuse(*args: Any, **options: Any) -> None:
        raise ConnectionError("no route")

    monkeypatch.undo()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(hub_cache))
    monkeypatch.setattr(constants, "is_offline_mode", lambda: False)
    monkeypatch.setattr(HfApi, "model_info", refuse)

    assert Sources({}).digest(Model("t", "owner/tiny", False, "owner/tiny")) == f"owner/tiny@{COMMIT}"
