"""Whether an adapter belongs to its base: the name it gives, the shapes and the modules of its tensors."""

from __future__ import annotations

from pathlib import Path

from evalkit.engines.local.preflight.adapter_file import PREFIX, AdapterFile
from evalkit.engines.local.preflight.outline import Outline
from evalkit.preflight import Finding

SHOWN = 8


def check_base(adapter: AdapterFile, outline: Outline) -> Finding:
    """Shapes decide; the name in adapter_config.json alone is worth a warning."""
    named = adapter.config.base_model_name_or_path or None
    wrong = [name for name in adapter.misshapen if not _is_of_vocabulary(name)]
    if adapter.refusal is not None or not any(name in adapter.wanted for name in adapter.tensors):
        return Finding(
            "base",
            "skip",
            f"No tensor of {adapter.what} has a place in {outline.shown!r}, so no shape can be compared.",
        )
    if wrong:
        first = wrong[0]
        return Finding(
            "base", "fail",
            f"The {adapter.what} was made for another base{_who(named)}: {len(wrong)} of its {len(adapter.tensors)} "
            f"tensors have other shapes than {outline.shown!r} needs (first: {_short(first)} is "
            f"{_shape(tuple(adapter.tensors[first].shape))}, wanted is {_shape(adapter.wanted[first])}). "
            "Name the model it was trained on.",
        )  # fmt: skip
    if named is not None and not _is_same(named, outline):
        return Finding(
            "base", "warn",
            f"The {adapter.what} names the base {named!r} in its adapter_config.json, and this is {outline.shown!r}; "
            "its shapes fit. Make sure that the two are the same weights.",
        )  # fmt: skip
    return Finding(
        "base", "pass", f"The {len(adapter.tensors)} tensors of {adapter.what} have the shapes of {outline.shown!r}."
    )


def check_modules(adapter: AdapterFile, outline: Outline) -> Finding:
    """Every tensor of the file lands in a module, and every module that the config names gets its tensors."""
    targets = adapter.config.target_modules if hasattr(adapter.config, "target_modules") else None
    listed = [targets] if isinstance(targets, str) else sorted(targets or ())
    if adapter.refusal is not None:
        ends = sorted({name.rpartition(".")[2] for name in adapter.modules if _is_leaf(name, adapter.modules)})
        return Finding(
            "modules", "fail",
            f"The {adapter.what} cannot be put on {outline.shown!r}: {adapter.refusal}. Its target modules are "
            f"{', '.join(listed) or 'not named'}, and the base's are called {_some(ends)}. "
            "Name the model it was trained on.",
        )  # fmt: skip
    if adapter.left_over:
        return Finding(
            "modules", "fail",
            f"{len(adapter.left_over)} of the {len(adapter.tensors)} tensors of {adapter.what} have no module in "
            f"{outline.shown!r} (first: {_short(adapter.left_over[0])}), so they would be left out without a word. "
            "Name the model it was trained on.",
        )  # fmt: skip
    if adapter.missing:
        return Finding(
            "modules", "fail",
            f"The file of {adapter.what} lacks {len(adapter.missing)} of the {len(adapter.wanted)} tensors that its "
            f"adapter_config.json names (first: {_short(adapter.missing[0])}). Copy it again, or take the modules that "
            "were not trained out of target_modules.",
        )  # fmt: skip
    absent = [name for name in listed if not isinstance(targets, str) and not _is_there(name, adapter.modules)]
    if absent:
        return Finding(
            "modules", "warn",
            f"The {adapter.what} names target modules that {outline.shown!r} does not have: {_some(absent)}. "
            "Every tensor of its file has a place; make sure that this is the model it was trained on.",
        )  # fmt: skip
    return Finding(
        "modules", "pass",
        f"All {len(adapter.tensors)} tensors of {adapter.what} have their module ({_some(listed) or 'as named'}).",
    )  # fmt: skip


def _is_same(named: str, outline: Outline) -> bool:
    """Whether a base's name may well mean this model: the same words, the same folder, or the same last part."""
    own = {Path(name).name.lower() for name in outline.names}
    return (
        named in outline.names or Path(named).name.lower() in own or Path(named).resolve() == outline.folder.resolve()
    )


def _is_of_vocabulary(name: str) -> bool:
    """Tensors with a row for every token are what ``tokens`` looks at."""
    return "lora_" not in name and any(part in name for part in ("embed_tokens", "lm_head"))


def _is_there(target: str, modules: frozenset[str]) -> bool:
    return target == "all-linear" or any(name == target or name.endswith(f".{target}") for name in modules)


def _is_leaf(name: str, modules: frozenset[str]) -> bool:
    return not any(other.startswith(f"{name}.") for other in modules)


def _who(named: str | None) -> str:
    return f" ({named!r})" if named else ""


def _short(name: str) -> str:
    return name.removeprefix(PREFIX)


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
