"""The rarer settings of a decoding are read alike from probe files, targets.yaml and the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalkit.errors import UnreadableFile, UsageError
from evalkit.reading.build import read_suite
from evalkit.reading.decodings import inline_decoding
from evalkit.reading.judge_files import judge_names
from evalkit.reading.places import Place
from evalkit.reading.targets import TargetChoice, read_targets
from evalkit.target import Decoding
from evalkit.workspace import Workspace, builtin_root

WRITTEN = """{
  min_new_tokens: 4, presence_penalty: 0.5, frequency_penalty: -1, no_repeat_ngram: 3,
  logit_bias: {" Paris": 2, "token:17": -1.5}, banned: [Lima, 9], stop_on_cycle: true}"""
MEANT = Decoding(
    min_new_tokens=4, presence_penalty=0.5, frequency_penalty=-1.0, no_repeat_ngram=3,
    logit_bias=((" Paris", 2.0), (17, -1.5)), banned=("Lima", 9), stop_on_cycle=True,
)  # fmt: skip


def workspace(folder: Path, decoding: str, probe: str = "{}") -> Workspace:
    """One target whose decoding is ``decoding``, and one probe that changes it by ``probe``."""
    files = {
        "models/own/config.json": "{}",
        "fixtures/targets.yaml": f"models: {{own: {{path: models/own}}}}\ndecodings:\n  rare: {decoding}\n"
        "default: ['own:fp32:naked:rare']\n",
        "suites/s/p.yaml": f"probes:\n  - {{prompt: Hi, expect: {{contains: x}}, decoding: {probe}}}\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return Workspace(folder)


def test_targets_and_probes_mean_the_same(tmp_path: Path) -> None:
    """Every setting, in the types of the dataclass."""
    place = workspace(tmp_path, WRITTEN, WRITTEN)

    (target,) = read_targets(place).resolve(TargetChoice())
    reading = read_suite(tmp_path / "suites" / "s", place, judge_names(Workspace(builtin_root()))).files[0]

    assert reading.problems == ()
    assert target.decoding == MEANT
    assert Decoding().changed(reading.probes[0].decoding) == MEANT


def test_a_single_ban_needs_no_list(tmp_path: Path) -> None:
    """A text or a token id by itself."""
    for written, meant in (("Lima", ("Lima",)), ("9", (9,))):
        place = workspace(tmp_path, f"{{banned: {written}}}", f"{{banned: {written}}}")

        (target,) = read_targets(place).resolve(TargetChoice())
        reading = read_suite(tmp_path / "suites" / "s", place, judge_names(Workspace(builtin_root()))).files[0]

        assert target.decoding.banned == meant
        assert dict(reading.probes[0].decoding) == {"banned": meant}


def test_numbers_can_be_written_inline() -> None:
    """Their name says their settings; texts and mappings need a file."""
    place = Place("--eval-decoding")

    named = inline_decoding("min_new_tokens=4,presence_penalty=0.5,frequency_penalty=1,no_repeat_ngram=3", place)

    assert named.name == "min4-presence0.5-frequency1-ngram3"
    for name in ("stop", "logit_bias", "banned", "stop_on_cycle"):
        with pytest.raises(UsageError) as caught:
            inline_decoding(f"{name}=1", place)
        assert str(caught.value) == (
            f"--eval-decoding: {name} cannot be written inline. Declare the decoding in fixtures/targets.yaml."
        )


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("{min_new_tokens: -1}", "min_new_tokens: expected a whole number of 0 or more, found -1."),
        ("{presence_penalty: 3}", "presence_penalty: expected a number from -2 to 2, found 3.0."),
        ("{frequency_penalty: -2.5}", "frequency_penalty: expected a number from -2 to 2, found -2.5."),
        ("{no_repeat_ngram: -1}", "no_repeat_ngram: expected a whole number of 0 (off) or more, found -1."),
        ("{banned: [Lima, '']}", "banned: expected a text or a token id to ban, found an empty text."),
        (
            "{min_new_tokens: 9, max_new_tokens: 8}",
            "min_new_tokens: expected at most max_new_tokens, which is 8, found 9.",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(written: str, message: str, tmp_path: Path) -> None:
    """At its place, with what was found."""
    with pytest.raises(UnreadableFile) as caught:
        read_targets(workspace(tmp_path, written))

    assert str(caught.value) == f"fixtures/targets.yaml:3: $.decodings.rare.{message}"


def test_one_by_one_reaches_every_local_engine(tmp_path: Path) -> None:
    """The option is a setting of the local engines alone, beside those they have."""
    place = workspace(tmp_path, "{}")
    text = (tmp_path / "fixtures" / "targets.yaml").read_text()
    (tmp_path / "fixtures" / "targets.yaml").write_text(
        f"{text}engines:\n  local: {{threads: 1}}\n  mine: {{kind: local}}\n  tape: {{kind: replay}}\n"
    )

    table = read_targets(place, one_by_one=True)

    engines = table.selection.axes.engines
    assert engines["local"].settings == (("one_by_one", True), ("threads", 1))
    assert engines["mine"].settings == (("one_by_one", True),)
    assert engines["tape"].settings == ()
    assert table.resolve(TargetChoice())[0].engine == engines["local"]
    assert read_targets(place).selection.axes.engines["mine"].settings == ()
