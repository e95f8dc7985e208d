"""``evalkit dataset``: what it writes, what it says, and what it refuses."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from evalkit.datasets.gathering import gather
from evalkit.review import Label
from evalkit.store.labels import LabelStore
from evalkit.store.runs import RunStore

if TYPE_CHECKING:
    from conftest import Desk

LEK, KERNEL = "m:fp32:naked:greedy", "m:fp32:kernel:greedy"


@pytest.fixture
def sea(desk: Desk) -> Desk:
    """Twenty probes, scored 1 to 20, every tenth a failure; the twentieth answered twice; one error."""
    records = [
        desk.answered(
            f"p{number:02}", [f"Answer {number}."], outcome="fail" if number % 10 == 0 else "pass", line=number,
            scores=[("lek", float(number))],
        )
        for number in range(1, 21)
    ]  # fmt: skip
    again = desk.answered("p19", ["A better one."], sample=1, line=19, scores=[("lek", 30.0)])
    broken = desk.answered("p21", [], outcome="error", line=21)
    desk.put("run-1", [*records, again, broken])
    return desk


def test_approved_transcripts_are_written(sea: Desk) -> None:
    """Passing answers, the best of each probe, in the order of the run; every line and file as promised."""
    done = sea.run("dataset", "latest", "--out", "out/d")

    assert done.err == ""
    assert done.out == (
        "wrote out/d/train.jsonl: 16 transcripts of 16 clusters\n"
        "wrote out/d/valid.jsonl: 2 transcripts of 2 clusters\n"
        "wrote out/d/manifest.json\n"
        "kept 18 of 22 answers of run run-1 (81.8 %), mean score 10.61 by lek\n"
        "left out:\n"
        "  2  failed\n"
        "  1  another answer of the probe is kept\n"
        "  1  error, no answer\n"
        "note: a model trained on these knows their probes; leave them out of its runs with: "
        "evalkit check --train out/d/train.jsonl --exclude\n"
    )
    assert done.status == 0
    train, valid = sea.rows("out/d/train.jsonl"), sea.rows("out/d/valid.jsonl")
    assert [row["probe"] for row in train] == sorted(row["probe"] for row in train)
    best = next(row for row in (*train, *valid) if row["probe"] == "p19")
    assert best["messages"] == [
        {"role": "user", "content": "What is p19?"}, {"role": "assistant", "content": "A better one."},
    ]  # fmt: skip
    assert {name: best[name] for name in ("run", "trial", "suite", "category", "cluster", "target", "score")} == {
        "run": "run-1", "trial": f"suites/sea/a.yaml::p19[{LEK}:s1]", "suite": "sea", "category": "A",
        "cluster": "sea/p19", "target": LEK, "score": 30.0,
    }  # fmt: skip


def test_the_manifest_says_where_it_is_from(sea: Desk) -> None:
    """Counts, scores, judges with hashes, targets, probes, split and files; the same command gives the same bytes."""
    sea.run("dataset", "latest", "--out", "one", "--min-score", "lek=5", "--seed", "3")
    sea.run("dataset", "run-1", "--out", "two", "--min-score", "lek=5", "--seed", "3")
    found = sea.manifest("one")

    assert (sea.root / "one/manifest.json").read_bytes() == (sea.root / "two/manifest.json").read_bytes()
    assert (found["run"], found["started"], found["stamp"]) == ("run-1", "1970-01-01T00:00:01Z", "")
    assert found["command"] == ["pytest", "suites/sea"]
    assert found["made_by"] == [
        "evalkit", "dataset", "run-1", "--format", "chat", "--keep", "best", "--min-score", "lek=5", "--thinking",
        "drop", "--validation", "0.1", "--seed", "3",
    ]  # fmt: skip
    assert (found["generated"], found["approved"], found["kept"], found["keep_rate"]) == (22, 15, 14, 14 / 22)
    assert found["left_out"] == {
        "lek below 5": 4, "failed": 2, "another answer of the probe is kept": 1, "error, no answer": 1,
    }  # fmt: skip
    assert found["score"] == {"judge": "lek", "mean": pytest.approx((sum(range(5, 19)) - 10 + 30) / 14)}
    assert found["judges"] == {"lek": ["h-lek"]}
    assert found["labels"] == {"kept_labelled": 0, "reviewers": []}
    assert (found["targets"][LEK]["generated"], found["targets"][LEK]["kept"]) == (22, 14)
    assert found["probes"]["sea/p19"] == {"generated": 2, "best_generated": 30.0, "kept": 1, "best_kept": 30.0}
    assert found["probes"]["sea/p03"] == {"generated": 1, "best_generated": 3.0, "kept": 0, "best_kept": None}
    assert found["split"]["train"]["transcripts"] + found["split"]["valid"]["transcripts"] == 14
    assert set(found["files"]) == {"train.jsonl", "valid.jsonl"}


def test_json_is_the_manifest(sea: Desk) -> None:
    """One line for machines, with where it went."""
    done = sea.run("dataset", "latest", "--out", "d", "--json")

    assert json.loads(done.out) == {"out": "d", **sea.manifest("d")}


def test_the_kernel_is_left_out_and_the_probes_own_system_turn_stays(desk: Desk) -> None:
    """With --with-system both are there, joined as the model read them."""
    desk.put("run-1", [
        desk.answered("p1", target=KERNEL, system="Weigh it."),
        desk.answered("p2", target=KERNEL, system="Weigh it.", own_system="Be brief."),
    ])  # fmt: skip
    desk.run("dataset", "latest", "--out", "without", "--validation", "0")
    desk.run("dataset", "latest", "--out", "with", "--validation", "0", "--with-system")

    def systems(folder: str) -> list[list[str]]:
        rows = desk.rows(f"{folder}/train.jsonl")
        return [[said["content"] for said in row["messages"] if said["role"] == "system"] for row in rows]

    assert systems("without") == [[], ["Be brief."]]
    assert systems("with") == [["Weigh it."], ["Weigh it.\n\nBe brief."]]


def test_a_model_without_a_system_role_reads_it_in_the_user_turn(desk: Desk) -> None:
    """As it did in the run: its chat template would refuse a system message."""
    changes = {"target": KERNEL, "system": "Weigh it.", "system_placement": "user_turn"}
    desk.put("run-1", [desk.answered("p1", **changes), desk.answered("p2", own_system="Be brief.", **changes)])
    desk.run("dataset", "latest", "--out", "without", "--validation", "0")
    desk.run("dataset", "latest", "--out", "with", "--validation", "0", "--with-system")

    def asked(folder: str) -> list[list[tuple[str, str]]]:
        rows = desk.rows(f"{folder}/train.jsonl")
        return [[(said["role"], said["content"]) for said in row["messages"][:-1]] for row in rows]

    assert asked("without") == [[("user", "What is p1?")], [("user", "Be brief.\n\nWhat is p2?")]]
    assert asked("with") == [
        [("user", "Weigh it.\n\nWhat is p1?")], [("user", "Weigh it.\n\nBe brief.\n\nWhat is p2?")],
    ]  # fmt: skip


def test_conversations_are_whole_and_thinking_is_a_choice(desk: Desk) -> None:
    """Every turn of it, the target's own among them; thinking goes, unless it is kept before each answer."""
    texts = ["<think>Moon?</think>\n\nThe moon.", "<think>Twice.</think>\n\nTwice a day."]
    users = ["What moves the sea?", "How often?"]
    desk.put("run-1", [desk.answered("p1", texts, users=users)])
    done = desk.run("dataset", "latest", "--out", "drop")
    kept = desk.run("dataset", "latest", "--out", "keep", "--thinking", "keep")

    def said(folder: str) -> list[tuple[str, str]]:
        return [(item["role"], item["content"]) for item in desk.rows(f"{folder}/train.jsonl")[0]["messages"]]

    assert said("drop") == [
        ("user", "What moves the sea?"), ("assistant", "The moon."), ("user", "How often?"),
        ("assistant", "Twice a day."),
    ]  # fmt: skip
    assert [text for role, text in said("keep") if role == "assistant"] == [
        "<think>\nMoon?\n</think>\n\nThe moon.", "<think>\nTwice.\n</think>\n\nTwice a day.",
    ]  # fmt: skip
    assert done.out == (
        "wrote drop/train.jsonl: 1 transcript of 1 cluster\n"
        "wrote drop/manifest.json\n"
        "kept 1 of 1 answer of run run-1 (100.0 %)\n"
        "note: the thinking of 1 answer was dropped; keep it with --thinking keep\n"
        "note: nothing is held out for validation: there are too few transcripts or clusters\n"
        "note: a model trained on these knows their probes; leave them out of its runs with: "
        "evalkit check --train drop/train.jsonl --exclude\n"
    )
    assert "thinking" not in kept.out


def test_a_servers_thinking_is_kept_the_same_way(desk: Desk) -> None:
    """Though it came in a field of its own."""
    desk.put("run-1", [desk.answered("p1", thinking="Moon?")])
    desk.run("dataset", "latest", "--out", "d", "--thinking", "keep")

    assert desk.rows("d/train.jsonl")[0]["messages"][-1]["content"] == (
        "<think>\nMoon?\n</think>\n\nThe moon pulls the sea."
    )


def test_targets_can_be_picked(desk: Desk) -> None:
    """Otherwise reference targets are left out, and the best answer may be any subject's."""
    desk.put("run-1", [
        desk.answered("p1", ["Subject."], scores=[("lek", 1.0)]),
        desk.answered("p1", ["Kernel."], target=KERNEL, system="Weigh it.", scores=[("lek", 2.0)]),
        desk.answered("p1", ["Base."], target="b:fp32:naked:greedy", role="reference", scores=[("lek", 3.0)]),
    ])  # fmt: skip
    for folder, word in (("all", "latest"), ("naked", f"latest@{LEK}"), ("base", "run-1@b:*")):
        assert desk.run("dataset", word, "--out", folder).status == 0

    def answer(folder: str) -> str:
        return str(desk.rows(f"{folder}/train.jsonl")[0]["messages"][-1]["content"])

    assert (answer("all"), answer("naked"), answer("base")) == ("Kernel.", "Subject.", "Base.")
    assert desk.run("dataset", "latest@c:*", "--out", "none").err == (
        f"Run run-1 has no target 'c:*'. Known: b:fp32:naked:greedy, {KERNEL}, {LEK}.\n"
    )


def test_only_what_a_person_labelled_correct(sea: Desk) -> None:
    """A failure that was overturned comes in, a pass that was found wrong or never read stays out."""
    with closing(RunStore.open(sea.store)) as store:
        records = store.records("run-1")
    hashes = {item.record.trial: item.text_hash for item in gather(sea.store, records, "run-1")}
    said = {"p10": "correct", "p05": "wrong", "p06": "correct", "p07": "unsure"}
    with closing(LabelStore.open(sea.store)) as store:
        store.put(
            Label(hashes[f"suites/sea/a.yaml::{probe}[{LEK}]"], "", "run-1", value, "ann", 1.0)  # type: ignore[arg-type]
            for probe, value in said.items()
        )
    done = sea.run("dataset", "latest", "--out", "d", "--reviewed", "correct", "--validation", "0")

    assert [row["probe"] for row in sea.rows("d/train.jsonl")] == ["p06", "p10"]
    assert sea.manifest("d")["labels"] == {"kept_labelled": 2, "reviewers": ["ann"]}
    assert done.out == (
        "wrote d/train.jsonl: 2 transcripts of 2 clusters\n"
        "wrote d/manifest.json\n"
        "kept 2 of 22 answers of run run-1 (9.1 %), mean score 8.00 by lek\n"
        "left out:\n"
        "  17  not reviewed\n"
        "   1  error, no answer\n"
        "   1  labelled unsure\n"
        "   1  labelled wrong\n"
        "note: a model trained on these knows their probes; leave them out of its runs with: "
        "evalkit check --train d/train.jsonl --exclude\n"
    )


def test_a_demo_models_data_is_stamped(desk: Desk) -> None:
    """First and last in print, in the manifest and in every line."""
    desk.put("run-1", [desk.answered("p1", is_demo=True)])
    done = desk.run("dataset", "latest", "--out", "d")
    lines = done.out.splitlines()

    assert lines[0] == lines[-1] == "DEMO MODEL: its numbers mean nothing"
    assert desk.manifest("d")["stamp"] == "DEMO MODEL: its numbers mean nothing"
    assert [row["stamp"] for row in desk.rows("d/train.jsonl")] == ["DEMO MODEL: its numbers mean nothing"]


def test_best_without_scores_is_said(desk: Desk) -> None:
    """Nobody should think the first were the best."""
    desk.put("run-1", [desk.answered("p1"), desk.answered("p1", ["The sea moves."], sample=1)])
    done = desk.run("dataset", "latest", "--out", "d", "--validation", "0")

    assert done.out.splitlines()[-2] == "note: no answer has a score, so the first of each probe is kept"
    assert desk.rows("d/train.jsonl")[0]["messages"][-1]["content"] == "The moon pulls the sea."


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["run-2"], "There is no run 'run-2'. See: evalkit list runs"),
        (["previous"], "There is only one run, so none before it. See: evalkit list runs"),
        (
            ["latest", "--min-score", "lkk=3"],
            "--min-score lkk: no such judge gave a verdict in run run-1. Did you mean 'lek'?",
        ),
        (
            ["latest", "--min-score", "heuristic_v2=3"],
            "--min-score heuristic_v2: no such judge gave a verdict in run run-1. Known: lek.",
        ),
        (["latest", "--min-score", "lek"], "--min-score: expected JUDGE=NUMBER, such as heuristic_v2=24; found 'lek'."),
        (
            ["latest", "--min-score", "lek=nan"],
            "--min-score: expected JUDGE=NUMBER, such as heuristic_v2=24; found 'lek=nan'.",
        ),
        (
            ["latest", "--min-score", "lek=40"],
            "Nothing is kept of 22 answers of run run-1, nothing written. "
            "Left out: lek below 40 (19), failed (2), error, no answer (1).",
        ),
        (
            ["latest", "--reviewed", "correct"],
            "Nothing is kept of 22 answers of run run-1, nothing written. "
            "Left out: not reviewed (21), error, no answer (1).",
        ),
    ],
)
def test_what_cannot_be_done_is_said(sea: Desk, words: list[str], sentence: str) -> None:
    """And nothing is written."""
    done = sea.run("dataset", *words, "--out", "d")

    assert (done.status, done.out, done.err) == (2, "", f"{sentence}\n")
    assert not (sea.root / "d").exists()


def test_a_judge_without_scores_is_named(desk: Desk) -> None:
    """With those that have some."""
    desk.put("run-1", [desk.answered("p1", scores=[("text", None), ("lek", 3.0)])])

    assert desk.run("dataset", "latest", "--out", "d", "--min-score", "text=1").err == (
        "--min-score text: it gave no score in run run-1. Judges that gave one: lek.\n"
    )


def test_a_run_that_nobody_judged_has_no_scores(desk: Desk) -> None:
    """Nor a judge that could have been meant; and a run whose judges only pass or fail says so."""
    desk.put("run-1", [desk.answered("p1")])
    unjudged = desk.run("dataset", "latest", "--out", "d", "--min-score", "lek=1")
    desk.put("run-2", [desk.answered("p1", scores=[("text", None)])])
    unscored = desk.run("dataset", "latest", "--out", "d", "--min-score", "text=1")

    assert unjudged.err == "--min-score lek: no such judge gave a verdict in run run-1. No judge did.\n"
    assert unscored.err == "--min-score text: it gave no score in run run-2. No judge of it gave one.\n"


def test_runs_that_are_not_there_or_not_over(desk: Desk) -> None:
    """Each with what to do."""
    assert desk.run("dataset", "latest", "--out", "d").err == (
        f"{desk.root}: nothing was run here yet. Run pytest on a suite first.\n"
    )
    desk.put("run-1", [])
    assert desk.run("dataset", "latest", "--out", "d").err == "Run run-1 has no trials.\n"
    desk.put("run-2", [desk.answered("p1")], ended=False)
    assert desk.run("dataset", "latest", "--out", "d").err == (
        "Run run-2 never finished. Run the same command again first.\n"
    )


def test_an_existing_dataset_is_kept_unless_forced(sea: Desk) -> None:
    """The refusal comes before any work."""
    sea.run("dataset", "latest", "--out", "d")
    before = (sea.root / "d/train.jsonl").read_bytes()
    refused = sea.run("dataset", "latest", "--out", "d", "--keep", "all")
    assert (refused.status, refused.err) == (
        2,
        "d: a dataset is there already: train.jsonl, valid.jsonl, manifest.json. "
        "Name another folder, or replace it: --force.\n",
    )
    assert (sea.root / "d/train.jsonl").read_bytes() == before

    assert sea.run("dataset", "latest", "--out", "d", "--keep", "all", "--force").status == 0
    assert sea.manifest("d")["kept"] == 19


@pytest.mark.parametrize("share", ["1", "-0.1", "nan", "ten"])
def test_a_share_is_a_share(sea: Desk, share: str) -> None:
    """All of it held out would leave nothing to train on."""
    done = sea.run("dataset", "latest", "--out", "d", f"--validation={share}")

    assert done.status == 2
    assert done.err.splitlines()[-1] == (
        f"evalkit dataset: error: argument --validation: expected a share from 0 up to 1, such as 0.1; found {share!r}"
    )


def test_parquet_is_written(sea: Desk) -> None:
    """The same rows in columns that pyarrow and datasets read."""
    parquet = pytest.importorskip("pyarrow.parquet")
    sea.run("dataset", "latest", "--out", "chat")
    done = sea.run("dataset", "latest", "--out", "parquet", "--format", "parquet")

    assert done.out.splitlines()[-1] == ("note: a model trained on these knows their probes; measure it with others")
    assert parquet.read_table(sea.root / "parquet/train.parquet").to_pylist() == sea.rows("chat/train.jsonl")
