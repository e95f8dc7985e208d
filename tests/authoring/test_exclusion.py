"""Lists of probes to leave out: which are, and what is said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalkit.authoring.exclusion import Exclusion, ExclusionList, TrainingFile, left_out
from evalkit.authoring.overlap import Overlap

if TYPE_CHECKING:
    from conftest import Made
    from evalkit.probe import Probe

FILE = "suites/small/_data/excluded.yaml"
REMEDY = "Make the list again with: evalkit check --train FILE --exclude"


def listed(*probes: Probe, files: tuple[str, ...] = ("train.jsonl",)) -> ExclusionList:
    """Each probe overlaps with one of the files, in turn."""
    items = tuple(
        Exclusion.of(Overlap(probe, f"{files[number % len(files)]}:4", 0.8, 0.25))
        for number, probe in enumerate(probes)
    )
    return ExclusionList(FILE, items, tuple(TrainingFile(name, "00", 9) for name in files))


def test_listed_probes_are_left_out(probe: Made) -> None:
    """And what noise made of them; the report says how many and why."""
    asked = [probe("Why?", id="why"), probe("yhW?", id="why~shuffle0.5.r1"), probe("How?", id="how")]

    done = left_out(listed(asked[0]), "small", asked)

    assert [item.id for item in done.probes] == ["why", "why~shuffle0.5.r1"]
    assert done.sentences == (f"2 probes left out: they overlap with train.jsonl ({FILE})",)


def test_several_files(probe: Made) -> None:
    """Those that hold something are named, without their folders."""
    asked = [probe("Why?", id="why"), probe("Who?", id="who")]
    files = ("data/a.jsonl", "b.txt", "c.txt")

    one = left_out(listed(asked[0], files=files), "small", asked)
    both = left_out(listed(*asked, files=files), "small", asked)

    assert one.sentences == (f"1 probe left out: it overlaps with a.jsonl ({FILE})",)
    assert both.sentences == (f"2 probes left out: they overlap with a.jsonl and b.txt ({FILE})",)


def test_a_changed_text_runs_and_is_told(probe: Made) -> None:
    """The list holds the hash of what overlapped; a probe that is gone is told too."""
    old, gone = probe("Why?", id="why"), probe("Who?", id="who")

    done = left_out(listed(old, gone), "small", [probe("Why not?", id="why")])

    assert done.probes == ()
    assert done.sentences == (
        f"{FILE}: names a probe whose text has changed since, run all the same: why. {REMEDY}",
        f"{FILE}: names a probe that is not in the suite: who. {REMEDY}",
    )


def test_many_changes_are_counted(probe: Made) -> None:
    """With the first five of them."""
    old = [probe("Why?", id=f"why{number}") for number in range(7)]
    new = [probe("Who?", id=f"why{number}") for number in range(7)]

    done = left_out(listed(*old), "small", new)

    assert done.sentences == (
        f"{FILE}: names 7 probes whose text has changed since, run all the same: "
        f"why0, why1, why2, why3, why4 and 2 more. {REMEDY}",
    )
    assert left_out(listed(*old), "small", []).sentences == (
        f"{FILE}: names 7 probes that are not in the suite: why0, why1, why2, why3, why4 and 2 more. {REMEDY}",
    )


def test_another_suites_probes_stay(probe: Made) -> None:
    """Ids are unique in a suite only."""
    asked = probe("Why?", id="why")

    assert left_out(listed(asked), "other", [asked]).sentences == ()
