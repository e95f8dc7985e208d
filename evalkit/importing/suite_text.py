"""Drafts as the files of a suite: legal ids, categories and tags, one probe file a category."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evalkit.importing.drafts import Draft, Drafts
from evalkit.reading.naming import default_id, slug
from evalkit.reading.schema_fields import MAX_ID_CHARS, RESERVED_TAGS
from evalkit.reading.yaml_writing import UnwritableText, item_lines, mapping_lines, refuse_unwritable

MAX_FILE_CHARS = 4_000_000
PLAIN_CATEGORY = "imported"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_ORDER = (
    "id", "subcategory", "tags", "language", "cluster", "why", "license", "author", "prompt", "turns", "expect",
    "judges",
)  # fmt: skip


@dataclass(slots=True)
class SuiteText:
    """The suite to write: file name → text. ``ids`` are those that changed, as (where, from, to).

    ``copies`` are (id, id of the first probe with the same prompt); ``categories`` and ``tags`` those that changed, a
    tag that nothing is left of being empty.
    """

    files: dict[str, str] = field(default_factory=dict)
    ids: list[tuple[str, str, str]] = field(default_factory=list)
    copies: list[tuple[str, str]] = field(default_factory=list)
    categories: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    probes: int = 0


def suite_text(drafts: Drafts, judges: Sequence[Any], *, head: str, unique: bool = False) -> SuiteText:
    """The files for the drafts; ``judges`` hold for probes that name none, ``head`` is the first line of every file.

    Copies of a prompt share a cluster with the first, so that statistics count them once; ``unique`` leaves them out.
    Drafts whose texts YAML cannot hold move to ``left_out``.
    """
    made = SuiteText()
    taken: set[str] = set()
    own = {draft.id for draft in drafts.probes if draft.id and is_legal_id(draft.id)}
    first_with: dict[tuple[str, str], str] = {}
    clusters: dict[str, dict[str, Any]] = {}
    by_category: dict[str, list[tuple[Draft, dict[str, Any]]]] = {}
    for draft in drafts.probes:
        try:
            _refuse_unwritable(draft.keys)
        except UnwritableText as error:
            drafts.leave_out(draft.place, str(error))
            continue
        said = (draft.prompt, repr(draft.keys.get("turns")))
        if unique and said in first_with:
            made.copies.append((draft.id or "", first_with[said]))
            continue
        name = _id(draft, taken, own)
        if draft.id is not None and name != draft.id:
            made.ids.append((str(draft.place.problem("")).removesuffix(": "), draft.id, name))
        keys = {"id": name, **draft.keys}
        first = first_with.setdefault(said, name)
        clusters.setdefault(first, keys)
        if first != name:
            made.copies.append((name, first))
            keys.setdefault("cluster", clusters[first].setdefault("cluster", first))
        category = _category(draft.category or PLAIN_CATEGORY)
        if draft.category and category != draft.category:
            made.categories[draft.category] = category
        if "tags" in keys:
            keys["tags"] = _tags(keys["tags"], made)
        by_category.setdefault(category, []).append((draft, keys))
    _write(made, by_category, judges, head)
    return made


def is_legal_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None and len(text) <= MAX_ID_CHARS


def _id(draft: Draft, taken: set[str], own: set[str]) -> str:
    """The source's own id where it is legal and free, else the nearest to it, else one of the prompt."""
    if draft.id is None:
        name = default_id(draft.prompt, taken | own)
        taken.add(name)
        return name
    if is_legal_id(draft.id) and draft.id not in taken:
        taken.add(draft.id)
        return draft.id
    plain = unicodedata.normalize("NFKD", draft.id).encode("ascii", "ignore").decode()
    base = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-._")[: MAX_ID_CHARS - 8] or slug(draft.prompt) or "probe"
    name, number = base, 1
    while name in taken or name in own:
        number += 1
        name = f"{base}-{number}"
    taken.add(name)
    return name


def _category(text: str) -> str:
    """One line that does not start with _ and is no marker of pytest."""
    plain = " ".join(text.split()).lstrip("_") or PLAIN_CATEGORY
    return f"{plain}_" if plain in RESERVED_TAGS else plain


def _tags(tags: Iterable[str], made: SuiteText) -> list[str]:
    """Legal tags, each once; those that changed are noted in ``made``."""
    legal = {tag: _tag(tag) for tag in tags}
    made.tags |= {tag: name for tag, name in legal.items() if name != tag}
    return list(dict.fromkeys(filter(None, legal.values())))


def _tag(text: str) -> str:
    """Letters, digits and underscores, a letter first, and no marker of pytest; empty where none of it is left."""
    plain = re.sub(r"\W+", "_", text.strip(), flags=re.ASCII).strip("_")
    lettered = plain if not plain or plain[:1].isalpha() else f"t_{plain}"
    return f"{lettered}_" if lettered in RESERVED_TAGS else lettered


def _write(
    made: SuiteText, by_category: Mapping[str, list[tuple[Draft, dict[str, Any]]]], judges: Sequence[Any], head: str
) -> None:
    for category, members in by_category.items():
        shares_judges = all("judges" not in keys for _, keys in members) and bool(judges)
        defaults = {"category": category, **({"judges": list(judges)} if shares_judges else {})}
        top = [head, "defaults:", *mapping_lines(defaults, 2), "probes:"]
        blocks = [_block(draft, keys, () if shares_judges else judges) for draft, keys in members]
        for part, lines in enumerate(_parts(blocks), start=1):
            made.files[_file_name(category, part, made.files)] = "\n".join([*top, *lines]) + "\n"
        made.probes += len(members)


def _block(draft: Draft, keys: dict[str, Any], judges: Sequence[Any]) -> str:
    if judges and "judges" not in keys:
        keys["judges"] = list(judges)
    ordered = {key: keys[key] for key in _ORDER if keys.get(key) not in (None, [])}
    return "\n".join([*(f"  # {note}" for note in draft.notes), *item_lines(ordered, 2)])


def _parts(blocks: Sequence[str]) -> Iterable[list[str]]:
    """The blocks in files that stay well under what is read at once, a blank line between them."""
    part: list[str] = []
    size = 0
    for block in blocks:
        if part and size + len(block) > MAX_FILE_CHARS:
            yield part
            part, size = [], 0
        part += ["", block] if part else [block]
        size += len(block)
    yield part


def _file_name(category: str, part: int, taken: Iterable[str]) -> str:
    base = (slug(category) or "category").replace("-", "_")
    base = base if base not in ("suite",) else "suite_probes"
    stem, number = base if part == 1 else f"{base}_{part}", part
    while f"{stem}.yaml" in taken:
        number += 1
        stem = f"{base}_{number}"
    return f"{stem}.yaml"


def _refuse_unwritable(value: Any) -> None:
    if isinstance(value, str):
        refuse_unwritable(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _refuse_unwritable(str(key))
            _refuse_unwritable(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _refuse_unwritable(item)
