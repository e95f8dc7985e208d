"""The replay engine answers from recordings, and says what is near when there is none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.engines import replay
from evalkit.engines.recordings import read_recordings
from evalkit.engines.replay import ReplayEngine, record_line
from evalkit.errors import EngineError, UnreadableFile
from evalkit.generation import Failure, Generation, Request
from evalkit.identity import conversation
from evalkit.probe import Message
from evalkit.target import Condition, Decoding, Engine, Model, Quantisation, Target

TARGET = Target(Model("m", "/m", True, "m"), Quantisation("fp32", "fp32"))
LABEL = "m:fp32:naked:greedy"


def ask(prompt: str, target: Target = TARGET, sample: int = 0) -> Request:
    return Request(target, (Message("user", prompt),), Decoding(), sample=sample)


def line(prompt: str = "hi", text: str = "yes", **changes: Any) -> str:
    return json.dumps({"messages": [{"role": "user", "content": prompt}], "target": LABEL, "text": text, **changes})


def tape(root: Path, *lines: str, name: str = "a.jsonl") -> Path:
    file = root / "fixtures" / "recordings" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def engine_at(root: Path, **settings: Any) -> ReplayEngine:
    return ReplayEngine(Engine("tape", "replay", tuple(settings.items())), lambda count: False, root)


def replies(engine: ReplayEngine, *requests: Request) -> list[Generation | Failure]:
    engine.load(TARGET, ())
    for index, request in enumerate(requests):
        engine.submit(str(index), request)
    found = dict(engine.step())
    assert engine.step() == []
    return [found[str(index)] for index in range(len(requests))]


def test_many_are_answered_in_several_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order in which they were asked, each once; what is cancelled meanwhile is not."""
    monkeypatch.setattr(replay, "AT_ONCE", 2)
    tape(tmp_path, *(line(str(number), f"answer {number}") for number in range(6)))
    engine = engine_at(tmp_path)
    for number in range(6):
        engine.submit(f"id {number}", ask(str(number)))

    steps = [[name for name, _ in engine.step()]]
    engine.cancel("id 3")
    steps += [[name for name, _ in engine.step()] for _ in range(3)]

    assert steps == [["id 0", "id 1"], ["id 2", "id 4"], ["id 5"], []]


def test_a_recording_is_found_by_messages_label_and_sample(tmp_path: Path) -> None:
    """Sample 1 and the conditioned target have their own answers; the condition is the leading system message."""
    kernel = replace(TARGET, condition=Condition("kernel", "Be brief."))
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]
    tape(
        tmp_path,
        line(text="first", raw_text="first<eos>", finish="length", prompt_tokens=3, new_tokens=2),
        line(text="second", sample=1),
        "",
        json.dumps({"messages": messages, "target": kernel.label, "text": "third", "system_placement": "user_turn"}),
    )

    first, second, third = replies(engine_at(tmp_path), ask("hi"), ask("hi", sample=1), ask("hi", kernel))

    assert first == Generation("first", "first<eos>", (), "length", 3, 2)
    assert second == Generation("second", "second", (), "stop", 0, 0)
    assert third == Generation("third", "third", (), "stop", 0, 0, system_placement="user_turn")


def test_a_missing_recording_names_the_nearest_and_the_file(tmp_path: Path) -> None:
    """The failure holds target, sample and prompt, the most similar recorded prompt and where to add one."""
    tape(tmp_path, line("What is the capital of France?"), line("Sing a song"))

    (reply,) = replies(engine_at(tmp_path), ask("What is the capital of Spain?", sample=2))

    assert reply == Failure(
        f"No recording for target '{LABEL}', sample 2, prompt 'What is the capital of Spain?'. Nearest is "
        f"fixtures/recordings/a.jsonl:1: target '{LABEL}', sample 0, prompt 'What is the capital of France?'. Add a "
        "line to fixtures/recordings/a.jsonl, or record with --eval-record."
    )


def test_empty_recordings_are_said(tmp_path: Path) -> None:
    """A file without a line answers nothing and says so; long prompts are shortened in the sentence."""
    tape(tmp_path)

    (reply,) = replies(engine_at(tmp_path), ask("long " * 40))

    assert reply == Failure(
        f"No recording for target '{LABEL}', sample 0, prompt '{('long ' * 40)[:79]}…'. The recordings are empty. "
        "Add a line to a file in fixtures/recordings, or record with --eval-record."
    )


def test_the_setting_chooses_files(tmp_path: Path) -> None:
    """``recordings`` names files or patterns in the folder; the others are not read."""
    tape(tmp_path, line(text="from a"))
    tape(tmp_path, line(text="from b"), name="b.jsonl")
    tape(tmp_path, "broken", name="c.jsonl")

    (by_name,) = replies(engine_at(tmp_path, recordings="b.jsonl"), ask("hi"))
    (by_list,) = replies(engine_at(tmp_path, recordings=("a*.jsonl",)), ask("hi"))

    assert (by_name.text, by_list.text) == ("from b", "from a")


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        (
            "none*.jsonl",
            "Engine 'tape' has no recordings: nothing matches 'none*.jsonl' in fixtures/recordings. "
            "Record some with --eval-record fixtures/recordings/NAME.jsonl",
        ),
        ("../x.jsonl", "Engine 'tape': recordings must lie in fixtures/recordings; found '../x.jsonl'."),
        ("/etc/passwd", "Engine 'tape': recordings must lie in fixtures/recordings; found '/etc/passwd'."),
    ],
)
def test_recordings_that_cannot_be_read_are_refused(pattern: str, sentence: str, tmp_path: Path) -> None:
    """No match, and a path that leaves the folder, are errors of the engine."""
    tape(tmp_path, line())

    with pytest.raises(EngineError) as caught:
        engine_at(tmp_path, recordings=pattern).identity_facts(TARGET)
    assert str(caught.value) == sentence


BROKEN = [
    (
        "{",
        ": expected one JSON object on one line, found broken JSON (Expecting property name enclosed "
        "in double quotes).",
    ),
    ("[" * 100_000, ": expected one JSON object on one line, found broken JSON (nested too deeply)."),
    ("[]", ": expected one JSON object on one line, found an empty list."),
    ("7", ": expected one JSON object on one line, found a number."),
    (line(finnish="stop"), ": $: unknown key 'finnish'. Did you mean 'finish'?"),
    (
        line(zzz=1),
        ": $: unknown key 'zzz'. Known keys: messages, target, text, sample, raw_text, finish, prompt_tokens, "
        "new_tokens, system_placement.",
    ),
    ('{"messages": [], "text": "a"}', ": $: missing key 'target'."),
    (line(text=None), ": $.text: expected text, found null."),
    (line(sample=True), ": $.sample: expected a whole number of at least 0, found True."),
    (line(new_tokens=-1), ": $.new_tokens: expected a whole number of at least 0, found -1."),
    (line(finish="end"), ": $.finish: expected one of stop, stop_string, length, refusal, cycle, scored; found 'end'."),
    (line(messages=[]), ": $.messages: expected a list of messages, found an empty list."),
    (line(messages="hi"), ": $.messages: expected a list of messages, found text."),
    (line(messages=[{"role": "user"}]), ": $.messages[0]: expected the keys role and content, and no others."),
    (
        line(messages=[{"role": "model", "content": "a"}]),
        ": $.messages[0].role: expected one of system, user, assistant; found 'model'.",
    ),
    (
        line(messages=[{"role": "user", "content": {"a": 1}}]),
        ": $.messages[0].content: expected text, found a mapping.",
    ),
]


@pytest.mark.parametrize(("bad", "sentence"), BROKEN, ids=range(len(BROKEN)))
def test_a_bad_line_is_located(bad: str, sentence: str, tmp_path: Path) -> None:
    """Each mistake names file, line and path, and good lines around it do not hide it."""
    tape(tmp_path, line("one"), bad, line("two"))

    with pytest.raises(UnreadableFile) as caught:
        engine_at(tmp_path).load(TARGET, ())
    assert str(caught.value) == f"fixtures/recordings/a.jsonl:2{sentence}"


def test_a_file_that_is_no_utf8_is_said(tmp_path: Path) -> None:
    """The first wrong byte is shown."""
    tape(tmp_path).write_bytes(b'{"text": "\xe9"}')

    with pytest.raises(UnreadableFile) as caught:
        engine_at(tmp_path).load(TARGET, ())
    assert str(caught.value) == ("fixtures/recordings/a.jsonl: expected UTF-8 text, found byte 0xe9. Save it as UTF-8.")


def test_contradicting_lines_are_an_error_and_equal_ones_are_not(tmp_path: Path) -> None:
    """Two answers to one request name both lines, also across files; the same answer twice is harmless."""
    tape(tmp_path, line(), line())
    assert len(read_recordings({"a": tape(tmp_path, line(), line())})) == 1
    tape(tmp_path, line(text="no"), name="b.jsonl")

    with pytest.raises(UnreadableFile) as caught:
        engine_at(tmp_path).load(TARGET, ())
    assert str(caught.value) == (
        f"fixtures/recordings/b.jsonl:1: another answer to the same prompt, target '{LABEL}' and sample 0 is at "
        "fixtures/recordings/a.jsonl:1. Remove one."
    )


def test_editing_a_recording_changes_the_identity(tmp_path: Path) -> None:
    """The facts follow the files' content, one file or several, and not their dates."""
    file = tape(tmp_path, line())
    before = engine_at(tmp_path).identity_facts(TARGET)
    file.touch()
    assert engine_at(tmp_path).identity_facts(TARGET) == before

    tape(tmp_path, line(text="no"))
    after = engine_at(tmp_path).identity_facts(TARGET)
    tape(tmp_path, line("other"), name="b.jsonl")

    assert len({before, after, engine_at(tmp_path).identity_facts(TARGET)}) == 3


def test_scoring_and_cancelling(tmp_path: Path) -> None:
    """A score request fails plainly; a cancelled request is not answered; closing forgets the rest."""
    tape(tmp_path, line())
    engine = engine_at(tmp_path)
    score = replace(ask("hi"), kind="score", continuation="yes")

    assert replies(engine, score) == [
        Failure("Engine 'tape' replays texts and has no log-probabilities to score with.")
    ]
    engine.submit("a", ask("hi"))
    engine.cancel("a")
    engine.cancel("unknown")
    assert engine.step() == []
    engine.submit("a", ask("hi"))
    engine.close()
    assert engine.step() == []


TEXT = st.text(st.characters(codec=None))
MESSAGES = st.lists(st.builds(Message, st.sampled_from(["system", "user", "assistant"]), TEXT), min_size=1, max_size=4)


@given(
    messages=MESSAGES, condition=st.none() | TEXT, text=TEXT, raw_text=TEXT, sample=st.integers(0, 9),
    finish=st.sampled_from(["stop", "stop_string", "length"]), counts=st.tuples(st.integers(0, 99), st.integers(0, 99)),
)  # fmt: skip
def test_a_recorded_line_gives_the_answer_back(
    messages: list[Message], condition: str | None, text: str, raw_text: str, sample: int, finish: Any,
    counts: tuple[int, int], tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    """What is written is what is replayed, for any text, lone surrogates and line separators included."""
    target = replace(TARGET, condition=Condition("kernel", condition))
    request = Request(target, tuple(messages), Decoding(), sample=sample)
    generation = Generation(text, raw_text, (), finish, *counts, "user_turn")
    written = record_line(request, generation)
    file = tmp_path_factory.mktemp("tape") / "a.jsonl"
    file.write_text(written + "\n", encoding="utf-8")

    found = read_recordings({"a": file})

    assert "\n" not in written
    assert list(json.loads(written)) == sorted(json.loads(written))
    assert found[(conversation(request), target.label, sample)].generation == generation
