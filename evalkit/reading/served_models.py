"""Models that a server holds, as targets.yaml declares them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from evalkit.reading.places import unknown_name
from evalkit.reading.target_files import TargetFile
from evalkit.reading.target_schema import ModelEntry, PriceEntry, RatesEntry
from evalkit.target import SERVER_KINDS, Engine, Model, Price, Served

ONLY_SERVED = ("engine", "price", "sampling", "thinking", "structured")


def served_model(
    file: TargetFile, name: str, entry: ModelEntry, engines: Mapping[str, Engine], prices: Mapping[str, Price]
) -> tuple[Model, Engine]:
    """The model an entry with ``id`` declares, and the engine that asks for it.

    Raises:
        UnreadableFile: its engine is missing, unknown or no server's, or a key means nothing for a served model.
    """
    place = file.place("models", name)
    known = {label: engine for label, engine in engines.items() if engine.is_server}
    if entry.engine is None:
        raise place.error(f"engine is missing: which server knows {entry.id!r}? Known: {', '.join(sorted(known))}.")
    if entry.engine not in known:
        raise file.place("models", name, "engine").error(unknown_name("server engine", entry.engine, known))
    if entry.trust_remote_code:
        raise file.place("models", name, "trust_remote_code").error(
            "has no effect on a served model. Take this line out."
        )
    engine = known[entry.engine]
    if entry.thinking is not None and engine.kind != "anthropic":
        raise file.place("models", name, "thinking").error(
            f"only engines of kind anthropic understand it, and {engine.name!r} is of kind {engine.kind}. "
            "Take this line out."
        )
    model_id = str(entry.id)
    served = Served(
        price_of(entry.price) if entry.price is not None else prices.get(model_id),
        entry.sampling is not False, entry.thinking, entry.structured,
    )  # fmt: skip
    return Model(name, model_id, False, model_id, entry.revision, is_demo=entry.demo, served=served), engine


def refuse_served_keys(file: TargetFile, name: str, entry: ModelEntry) -> None:
    """Refuses what only a served model can have.

    Raises:
        UnreadableFile: the first such key.
    """
    for key in ONLY_SERVED:
        if getattr(entry, key) is not None:
            raise file.place("models", name, key).error(
                f"is only for models with an id, which one of the engines {', '.join(SERVER_KINDS)} asks for. "
                "Take this line out, or write id in place of path or hub."
            )


def price_of(entry: PriceEntry) -> Price:
    """The price an entry declares, as exact decimals."""
    long = entry.long_prompt
    return Price(
        *_rates(entry), batch=_exact(entry.batch),
        long_above=long.above if long is not None else None,
        long=Price(*_rates(long), batch=_exact(entry.batch)) if long is not None else None,
    )  # fmt: skip


def _rates(entry: RatesEntry) -> tuple[Decimal, Decimal, Decimal | None, Decimal | None]:
    cached = (None if value is None else _exact(value) for value in (entry.cache_read, entry.cache_write))
    read, write = cached
    return _exact(entry.input), _exact(entry.output), read, write


def _exact(value: float) -> Decimal:
    return Decimal(repr(value))
