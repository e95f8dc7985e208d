"""Learns evalkit/judging/collapse/sentence_nets from normal text on this machine, whole and with its words displaced.

    python benchmarks/sentence_net.py [--check] [LANGUAGE …]

The texts are those of benchmarks/word_order.py and the answers in fixtures/behaviour/texts that are not broken. Only
numbers and a list of common words are kept. ``--check`` learns from one half, measures the other and writes nothing.
Needs torch.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from base64 import b85encode
from collections import Counter
from pathlib import Path

import displaced
import numpy as np
import torch
import word_order as sources
from torch import nn

from evalkit.judging.collapse import disorder
from evalkit.judging.collapse import sentence_net as reader
from evalkit.judging.collapse.asked import Asked
from evalkit.judging.collapse.languages import Languages
from evalkit.probe import Expectation, Generate, JudgeUse, Message, Probe
from evalkit.reading.judges import build_judge
from evalkit.transcript import Answer, Case, Transcript
from evalkit.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
WORDS = {"en": 1600}
USUAL_WORDS, ENDINGS_OF_3, ENDINGS_OF_2 = 1000, 60, 50
SIZE, HIDDEN = 12, {"en": 48}
USUAL_HIDDEN = 32
WINDOW = 48
MOST_WINDOWS = 50_000
STEPS, USUAL_STEPS = {"en": 5000}, 2600
OWN_WEIGHT = 8
BATCH = 400


def policy_words(language: str) -> list[str]:
    words = sources.policy()["function_words"][language] + " " + sources.MORE_WORDS.get(language, "")
    return list(dict.fromkeys(words.split()))


def own_texts(language: str) -> list[str]:
    """Answers of ours that the judge does not call broken, in one language."""
    lists = sources.policy()["function_words"]
    languages = Languages([(code, tuple(lists[code].split())) for code in lists])
    judge = build_judge(JudgeUse("degeneration"), Workspace(Path(tempfile.mkdtemp())))
    found = []
    for path in sorted((ROOT / "fixtures" / "behaviour" / "texts").glob("*.jsonl")):
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
            text = row["response"]
            probe = Probe("p", "s", "f", 1, "X", (Message("user", row["prompt"]), Generate()), Expectation(), ())
            case = Case(probe, "t", Transcript((), (Answer(text, text, "", 0),)))
            if languages.of(text) == language and judge.read(case, ()).outcome == "pass":
                found.append(text)
    return found


def tokens(text: str) -> list[str]:
    return [found.group() for found in reader.TOKEN.finditer(text)]


def windows(texts: list[str]) -> list[list[str]]:
    """Stretches of 48 words and marks; short texts are joined by full stops."""
    found, stream = [], []
    for text in texts:
        stream += [*tokens(text), "."]
        while len(stream) >= WINDOW:
            found.append(stream[:WINDOW])
            stream = stream[WINDOW:]
    return found


def vocabulary(language: str, texts: list[str], own: list[str]) -> list[str]:
    """Function words, other common words, endings of the rest."""
    counts: Counter[str] = Counter()
    for weight, kind in ((1, texts), (12, own)):
        for text in kind:
            for token in tokens(text.lower()):
                if token[0].isalpha():
                    counts[token.replace("’", "'")] += weight
    known = policy_words(language)
    most = WORDS.get(language, USUAL_WORDS)
    common = [word for word, _ in counts.most_common(2 * most) if word not in known and len(word) < 12]
    known += common[: most - len(known)]
    listed = set(known)
    endings: dict[int, Counter[str]] = {3: Counter(), 2: Counter()}
    for word, count in counts.items():
        if word not in listed and len(word) > reader.SHORT and word.isalpha():
            for size, found in endings.items():
                found[word[-size:]] += count
    return [
        *known,
        *("~" + ending for ending, _ in endings[3].most_common(ENDINGS_OF_3)),
        *("~" + ending for ending, _ in endings[2].most_common(ENDINGS_OF_2)),
    ]


class Net(nn.Module):
    """Scores each place by the five words that end there."""

    def __init__(self, words: int, hidden: int) -> None:
        super().__init__()
        self.words = nn.Embedding(words, SIZE)
        self.inner = nn.Linear(SIZE * reader.CONTEXT, hidden)
        self.outer = nn.Linear(hidden, 1)
        nn.init.normal_(self.words.weight, std=0.3)

    def forward(self, places: torch.Tensor) -> torch.Tensor:
        return self.outer(torch.relu(self.inner(self.words(places).flatten(1))))[:, 0]


def learned(language: str, names: list[str], normal: list[list[str]]) -> Net:
    """Tells whole windows from displaced ones by the sum of their places."""
    torch.manual_seed(0)
    source = random.Random(0)
    words = reader.numbered(names)
    maker = displaced.Displacer(language, policy_words(language), normal, source)
    steps = STEPS.get(language, USUAL_STEPS)
    net = Net(len(words), HIDDEN.get(language, USUAL_HIDDEN))
    optimiser = torch.optim.Adam(net.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 6e-3, total_steps=steps)
    for step in range(steps):
        places, rows, labels = [], [], []
        for number in range(BATCH):
            window = source.choice(normal)
            length = source.choice((14, 24, 36, 48))
            first = source.randrange(len(window) - length + 1)
            part = window[first : first + length]
            part = maker.displaced(part) if number % 2 else maker.varied(part)
            found = reader.contexts(reader.numbers_of(part, words))
            places.append(found)
            rows += [number] * len(found)
            labels.append(number % 2)
        scores = net(torch.from_numpy(np.concatenate(places)).long())
        total = torch.zeros(BATCH).index_add(0, torch.tensor(rows), scores)
        loss = nn.functional.binary_cross_entropy_with_logits(total, torch.tensor(labels, dtype=torch.float32))
        steep = (torch.relu(scores.abs() - reader.MOST) ** 2).mean()
        optimiser.zero_grad()
        (loss + 0.02 * steep + 1e-5 * (net.words.weight**2).sum()).backward()
        optimiser.step()
        schedule.step()
        if step % 500 == 0 or step == steps - 1:
            print(f"{language}: step {step}, loss {loss.item():.3f}", flush=True)
    return net


def written(names: list[str], net: Net) -> str:
    """The module's text: words, and each array as whole numbers of one byte with the step between them."""
    arrays = (net.words.weight, net.inner.weight, net.inner.bias, net.outer.weight, net.outer.bias)
    scales, packed = [], b""
    for array in arrays:
        values = array.detach().numpy().ravel()
        scale = float(np.abs(values).max()) / 127
        scales.append(scale)
        packed += np.round(values / scale).astype(np.int8).tobytes()
    text = b85encode(packed).decode("ascii")
    lines = ['"""Common words, and what the words around a place weigh; made by benchmarks/sentence_net.py."""', ""]
    lines += ["WORDS = (", *_wrapped(names), ")", f"HIDDEN = {net.inner.out_features}"]
    lines += [f"SCALES = ({', '.join(f'{scale:.8g}' for scale in scales)})", "WEIGHTS = ("]
    lines += [f'    "{text[at : at + 110]}"' for at in range(0, len(text), 110)]
    return "\n".join([*lines, ")", ""])


def _wrapped(names: list[str]) -> list[str]:
    lines, line = [], ""
    for name in names:
        if len(line) + len(name) > 108:
            lines.append(f'    "{line}"')
            line = ""
        line += name + " "
    return [*lines, f'    "{line}"']


def measured(language: str, source: str, texts: list[str], own: list[str]) -> None:
    """Prints the highest scores of texts that were not learned from, and what is found among displaced ones."""
    module: dict[str, object] = {}
    exec(source, module)
    net = reader.SentenceNet.of(module["WORDS"], module["HIDDEN"], module["SCALES"], module["WEIGHTS"])
    for name, kind in (("texts", texts), ("own", own)):
        scored = sorted(((found.score if (found := reader.find_stretch(text, net)) else 0.0), text) for text in kind)
        print(f"{language} {name}: {len(scored)}, highest", ", ".join(f"{score:.1f}" for score, _ in scored[-12:]))
        for score, text in scored[-4:]:
            print(f"    {score:.1f} {text[:140]!r}")
    disorder.sentence_net = lambda _: net
    policy = build_judge(JudgeUse("degeneration"), Workspace(Path(tempfile.mkdtemp())))._policy
    languages = Languages(policy.function_words)
    asked = Asked("", "", frozenset(), 0, frozenset(), frozenset(), None, False, Expectation())
    alarms = [text for text in (*texts, *own) if disorder.find_disordered(text, asked, policy, languages)]
    print(f"    {len(alarms)} alarms in {len(texts) + len(own)}")
    for text in alarms:
        print(f"        {text[:200]!r}")
    source_of_chance = random.Random(1)
    normal = windows(texts)[:2000]
    maker = displaced.Displacer(language, policy_words(language), normal, source_of_chance)
    spoilt = [" ".join(maker.displaced(window[:40])) for window in normal]
    found = sum(disorder.find_disordered(text, asked, policy, languages) is not None for text in spoilt)
    print(f"    {found / len(spoilt):.0%} of displaced windows of 40 words", flush=True)


def main(arguments: list[str]) -> None:
    checks = "--check" in arguments
    for language in [name for name in arguments if name in sources.FOLDERS] or list(sources.FOLDERS):
        texts = [text for _, text in sources.texts_of(language, [])]
        own = own_texts(language)
        random.Random(0).shuffle(own)
        seen, seen_own = (texts[::2], own[::2]) if checks else (texts, own)
        normal = windows(seen)[:MOST_WINDOWS] + windows(seen_own) * OWN_WEIGHT
        print(f"{language}: {len(texts)} texts, {len(own)} of ours, {len(normal)} windows", flush=True)
        names = vocabulary(language, seen, seen_own)
        source = written(names, learned(language, names, normal))
        if checks:
            measured(language, source, texts[1::2], own[1::2])
        else:
            path = ROOT / "evalkit" / "judging" / "collapse" / "sentence_nets" / f"{language}.py"
            path.write_text(source, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
