"""Which model an adapter belongs to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from evalkit.engines.servers.limits import unsupported
from evalkit.reading.adapters import AdapterFacts, read_adapter_folder, read_hub_adapter
from evalkit.reading.drafts import SERVED, Draft, NamedAdapter, NamedModel
from evalkit.reading.locations import Location, check_model_folder, locate
from evalkit.reading.places import Unusable
from evalkit.reading.target_axes import Axes
from evalkit.target import Adapter, Target


def base_of(named: NamedAdapter, axes: Axes) -> NamedModel:
    """The model an adapter brings with it: the declared base, else the one its adapter_config.json names.

    Raises:
        EvalkitError: nothing says which, or what is named is not there.
    """
    if named.base is not None:
        return axes.model(named.base, named.place)
    shown = named.adapter.shown
    if named.is_only_served:
        raise named.place.error(
            f"nothing says which model the served adapter {named.adapter.name} belongs to. Add base: to it, or pass "
            "--eval-model."
        )
    facts = _facts(named)
    if facts is None:
        raise named.place.error(
            f"the base of the hub adapter {shown} is not known before it is downloaded. Pass --eval-model, "
            f"or run: hf download {shown} adapter_config.json"
        )
    if facts.base is None:
        raise named.place.error(
            f"{shown}/adapter_config.json names no base (base_model_name_or_path is empty). Pass --eval-model."
        )
    location = _base_location(named, facts.base, axes)
    if location is None:
        raise named.place.error(
            f"{shown} names the base {facts.base!r}, which is neither a folder on this machine nor a hub id. "
            f"Pass --eval-model with the place of that model."
        )
    revision = facts.revision if not location.is_local else None
    return axes.model_at(replace(location, revision=location.revision or revision), named.place)


def finished(draft: Draft, axes: Axes) -> Target:
    """The target a draft stands for, with the facts of its adapters.

    Its folders are checked unless it is replayed or served: a recording and a server need no weights here.

    Raises:
        EvalkitError: a folder cannot be used, an adapter belongs to another model, or a server cannot do it.
    """
    _check_server(draft)
    if draft.engine.kind == "replay":
        return draft.target(tuple(_replayed(named) for named in draft.adapters))
    model = draft.model
    if draft.engine.is_server:
        return _asked(draft)
    if model.model.is_local:
        try:
            check_model_folder(Path(model.model.location), model.model.shown)
        except Unusable as error:
            raise model.place.error(str(error)) from error
    adapters = []
    for named in draft.adapters:
        facts = _facts(named)
        _check_base(draft, named, facts, axes)
        adapters.append(replace(named.adapter, facts=facts.facts if facts is not None else ()))
    return draft.target(tuple(adapters))


def _check_server(draft: Draft) -> None:
    """Whether model, engine and quantisation agree on who holds the weights; a replayed target needs no server."""
    model, engine, quantisation = draft.model.model, draft.engine, draft.quantisation
    is_served = model.served is not None
    if engine.is_server and not is_served:
        raise draft.place.error(
            f"engine {engine.name!r} asks a server, and the model {model.name} is no server's. Declare a model with "
            f"engine: {engine.name} and its id in fixtures/targets.yaml."
        )
    if is_served and not engine.is_server and engine.kind != "replay":
        raise draft.place.error(
            f"the model {model.name} is served; engine {engine.name!r} cannot load it. Leave the engine out."
        )
    if is_served != (quantisation.kind == SERVED):
        hint = "Use served, or leave it out." if is_served else "Use one of bf16, fp32, fp16, nf4, fp4, int8."
        who = "is held as its server holds it" if is_served else "is loaded here, by no server"
        raise draft.place.error(f"{quantisation.name} cannot be had: the model {model.name} {who}. {hint}")
    if engine.is_server and draft.adapters:
        _check_served_adapters(draft)
    alone = next((named for named in draft.adapters if named.is_only_served), None)
    if alone is not None and engine.kind == "local":
        raise draft.place.error(
            f"the adapter {alone.adapter.name} is declared by its server's id alone and cannot be loaded here. Add its "
            "path or hub, or use a model that a server holds."
        )


def _check_served_adapters(draft: Draft) -> None:
    """Whether a server can be asked for the draft's model with its adapters."""
    names = ", ".join(named.adapter.name for named in draft.adapters)
    if draft.engine.kind != "openai":
        raise draft.place.error(
            f"engines of kind {draft.engine.kind} know no adapters, found {names}. Pass --eval-adapter none."
        )
    if len(draft.adapters) > 1 or draft.merged:
        what = f"{names}, merged" if draft.merged else names
        raise draft.place.error(
            f"a server is asked for one adapter as it serves it, found {what}. Serve the adapted model and declare it "
            "as a model of its own."
        )


def _asked(draft: Draft) -> Target:
    """The target of a server that can do what its decoding asks; where its adapter lies is what the server calls it."""
    adapters = (
        replace(_replayed(named), location=named.served_id or named.adapter.name, is_local=False)
        for named in draft.adapters
    )
    target = draft.target(tuple(adapters))
    problem = unsupported(target, target.decoding)
    if problem is not None:
        raise draft.place.error(problem)
    return target


def _facts(named: NamedAdapter) -> AdapterFacts | None:
    adapter = named.adapter
    try:
        if adapter.is_local:
            return read_adapter_folder(Path(adapter.location), adapter.shown)
        return read_hub_adapter(adapter.location, adapter.revision)
    except Unusable as error:
        raise named.place.error(str(error)) from error


def _replayed(named: NamedAdapter) -> Adapter:
    adapter = named.adapter
    try:
        folder = Path(adapter.location)
        facts = (
            read_adapter_folder(folder, adapter.shown)
            if adapter.is_local
            else read_hub_adapter(adapter.location, adapter.revision)
        )
    except Unusable:
        return adapter
    return replace(adapter, facts=facts.facts) if facts is not None else adapter


def _base_location(named: NamedAdapter, base: str, axes: Axes) -> Location | None:
    """Where the base is: relative to the workspace, the current folder, evalkit's own files or the adapter's folder."""
    builtin = axes.roots(named.place)[-1]
    beside = (Path(named.adapter.location),) if named.adapter.is_local else ()
    location = locate(base, (axes.workspace.root, Path.cwd(), builtin, *beside))
    return location if location is not None and (location.exists or not location.is_local) else None


def _check_base(draft: Draft, named: NamedAdapter, facts: AdapterFacts | None, axes: Axes) -> None:
    """Whether the adapter was trained on the draft's model, as far as this machine can tell."""
    if named.base is not None:
        declared = axes.model(named.base, named.place).location
        if declared.is_same(draft.model.location) or declared.is_copy(draft.model.location):
            return
        raise draft.place.error(_foreign(draft, named, named.base, "its declaration says"))
    if facts is None or facts.base is None:
        return
    location = _base_location(named, facts.base, axes) or Location(facts.base, True, facts.base)
    if location.is_same(draft.model.location) or location.is_copy(draft.model.location):
        return
    raise draft.place.error(_foreign(draft, named, facts.base, "its adapter_config.json says"))


def _foreign(draft: Draft, named: NamedAdapter, base: str, who: str) -> str:
    model = draft.model.model
    shown = model.name if model.name == model.shown else f"{model.name} ({model.shown})"
    written = model.name if draft.model.is_declared else model.shown
    return (
        f"adapter {named.adapter.name} belongs to the model {base}, {who}, not to {shown}. "
        f"Use --eval-model {base}, or --eval-adapter none for {model.name} alone; "
        f"where the two are the same weights, declare the adapter in fixtures/targets.yaml with base: {written}"
    )
