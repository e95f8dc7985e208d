"""Makes evalkit/judging/collapse/order_tables from normal text on this machine: catalogues, manuals, docstrings, ours.

    python benchmarks/word_order.py [JSONL …]

JSONL files hold texts of ours under `response` (with `language`), counted six times. The tables hold only numbers.
"""

from __future__ import annotations

import ast
import gettext
import gzip
import json
import random
import re
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import yaml

from evalkit.judging.collapse import word_order
from evalkit.judging.collapse.languages import Languages

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {"en": (), "es": ("es",), "de": ("de",), "fr": ("fr",), "pt": ("pt", "pt_BR"), "it": ("it",)}
FUNCTION_WORDS, SUFFIXES = 92, 10
MAX_CHARS = 14_000_000
OWN_WEIGHT = 6
SMOOTHING = 2.0
LOWEST, HIGHEST = -4, 3
MORE_WORDS = {
    "en": "i'm you're it's don't doesn't isn't can't won't that's i've we're let's i'll you'll didn't am him us shall "
    "must between while during until every each both another because though against within never always here such",
    "de": "mich dich uns euch ihnen ihn seit wer wen hier dort immer also kein keine",
    "fr": "l' d' qu' c' n' s' j' m' t' jusqu' lorsqu' puisqu' est-ce",
    "it": "l' d' un' c' dell' all' nell' dall' sull' quell' un'",
}


@cache
def policy() -> dict[str, dict[str, str]]:
    return dict(yaml.safe_load((ROOT / "judges" / "degeneration.yaml").read_text(encoding="utf-8")))


def paragraphs(text: str) -> Iterator[str]:
    for part in re.split(r"\n\s*\n", text):
        flat = " ".join(part.split())
        letters = sum(char.isalpha() or char == " " for char in flat)
        if len(flat) > 25 and letters > 0.88 * len(flat):
            yield flat


def catalogues(language: str) -> Iterator[str]:
    for folder in FOLDERS[language] or ("de", "es", "fr"):
        for path in sorted(Path("/usr/share/locale").glob(f"{folder}/LC_MESSAGES/*.mo")):
            with path.open("rb") as stream:
                try:
                    messages = gettext.GNUTranslations(stream)._catalog  # type: ignore[attr-defined]
                except (OSError, UnicodeDecodeError):
                    continue
            for original, translated in messages.items():
                key = original[0] if isinstance(original, tuple) else original
                yield from paragraphs(translated if FOLDERS[language] else key)


def manuals(language: str) -> Iterator[str]:
    for folder in FOLDERS[language]:
        for path in sorted(Path(f"/usr/share/man/{folder}").rglob("*.gz")):
            lines = []
            for line in gzip.decompress(path.read_bytes()).decode("utf-8", "replace").split("\n"):
                said = re.sub(r"^\.(?:B|I|BR|IR|RB|RI|BI|IB|SB) ", "", line).replace('"', "")
                plain = re.sub(r"\\f(?:\[[^\]]*\]|\(..|.)", "", said).replace("\\-", "-")
                lines.append("" if said.startswith((".", "'")) else re.sub(r"\\\S*", "", plain))
            yield from paragraphs("\n".join(lines))


def docstrings() -> Iterator[str]:
    for folder in (sysconfig.get_paths()["stdlib"], sysconfig.get_paths()["purelib"]):
        for path in sorted(Path(folder).rglob("*.py")):
            try:
                tree = ast.parse(path.read_text(encoding="utf-8"))
            except (SyntaxError, UnicodeDecodeError, RecursionError):
                continue
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
                    yield from paragraphs(ast.get_docstring(node) or "")


def texts_of(language: str, own: list[tuple[str, str]]) -> list[tuple[int, str]]:
    """Texts with their weight, in an order that does not change."""
    found = {*catalogues(language), *manuals(language), *(docstrings() if language == "en" else ())}
    lists = policy()["function_words"]
    languages = Languages([(code, tuple(lists[code].split())) for code in lists])
    ordered = sorted(text for text in found if languages.of(text) in (language, None))
    random.Random(0).shuffle(ordered)
    kept, size = [], 0
    for text in ordered:
        size += len(text)
        if size > MAX_CHARS:
            break
        kept.append((1, text))
    return kept + [(OWN_WEIGHT, text) for code, text in own if code == language]


def measured(language: str, texts: list[tuple[int, str]]) -> tuple[list[str], np.ndarray]:
    """The classes, and the bits of every pair: log2 of how often it comes over how often chance would have it."""
    functions = list(dict.fromkeys((policy()["function_words"][language] + " " + MORE_WORDS.get(language, "")).split()))
    counts: Counter[str] = Counter()
    endings: Counter[str] = Counter()
    for weight, text in texts:
        for found in word_order._TOKEN.finditer(text.lower()):
            word = found.group()
            if found.lastgroup == "word" and word in functions:
                counts[word] += weight
            elif found.lastgroup == "word" and len(word) > 3:
                endings[word[-2:]] += weight
    marks = [word_order.CONTENT, word_order.NUMBER, word_order.COMMA, word_order.STOP]
    by_count = {word: rank for rank, (word, _) in enumerate(counts.most_common())}
    in_both = sorted(by_count, key=lambda word: by_count[word] + functions.index(word))
    names = in_both[:FUNCTION_WORDS]
    names += [word_order.CONTENT + ending for ending, _ in endings.most_common(SUFFIXES)] + marks
    size = len(names)
    table = word_order.OrderTable({name: number for number, name in enumerate(names)}, ((0,) * size,) * size)
    seen = np.zeros((size, size))
    for weight, text in texts:
        classes = np.array([number for number, _, _ in word_order.classes_of(text, table)])
        known = (classes[:-1] >= 0) & (classes[1:] >= 0)
        np.add.at(seen, (classes[:-1][known], classes[1:][known]), weight)
    chance = seen.sum(1, keepdims=True) * seen.sum(0, keepdims=True) / seen.sum()
    bits = np.log2((seen + SMOOTHING) / (chance + SMOOTHING))
    return names, np.clip(np.round(bits), LOWEST, HIGHEST).astype(int)


def written(language: str, names: list[str], bits: np.ndarray) -> None:
    lines = [f'"""How likely classes of words follow each other ({language}); made by benchmarks/word_order.py."""', ""]
    lines += [
        "CLASSES = (",
        *(f'    "{" ".join(names[at : at + 16])} "' for at in range(0, len(names), 16)),
        ")",
        "ROWS = (",
    ]
    lines += [f'    "{"".join(str(value - LOWEST) for value in row)}",' for row in bits.tolist()]
    path = ROOT / "evalkit" / "judging" / "collapse" / "order_tables" / f"{language}.py"
    path.write_text("\n".join([*lines, ")", ""]), encoding="utf-8")


def main(files: list[str]) -> None:
    own = [
        (row.get("language") or "en", row["response"])
        for file in files
        for row in map(json.loads, Path(file).read_text(encoding="utf-8").splitlines())
        if row.get("expect") != "collapsed"
    ]
    for language in FOLDERS:
        texts = texts_of(language, own)
        names, bits = measured(language, texts)
        written(language, names, bits)
        print(f"{language}: {len(texts)} texts, {sum(len(text) for _, text in texts)} characters, {len(names)} classes")


if __name__ == "__main__":
    main(sys.argv[1:])
