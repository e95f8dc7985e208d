"""The ``degeneration`` judge: is the text that a user would receive broken?"""

from __future__ import annotations

import re
from dataclasses import dataclass

from evalkit.generation import Reply
from evalkit.judging import template_leak
from evalkit.judging.base import RuleJudge
from evalkit.judging.masking import Extent, blank, code_extents, fenced_blocks, table_extents
from evalkit.judging.repetition import LoopSize, Repeat, Tokens, find_character_run, find_loop, repeated_share
from evalkit.probe import Probe
from evalkit.transcript import Answer, Case
from evalkit.verdict import Span, Verdict

_SHOWN = 40
_OPTION = re.compile(r"(?:^|\s)\(?[A-E1-5][).:]\s", re.MULTILINE)
_NUMBER = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class DegenerationPolicy:
    """Thresholds and phrases; judges/degeneration.yaml says what each one means."""

    loops: tuple[LoopSize, ...]
    loop_max_period: int
    verse_factor: float
    unfinished_factor: float
    run_max_period: int
    run_min_chars: int
    run_min_copies: int
    repeated_share: float
    repeated_share_verse: float
    repeated_min_words: int
    asked_copies: int
    asks_repetition: tuple[str, ...]
    asks_verse: tuple[str, ...]
    asks_dialogue: tuple[str, ...]
    asks_template: tuple[str, ...]
    asks_one_character: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken place: its kind, a sentence, and the characters of the answer's text (None: not in it)."""

    kind: str
    sentence: str
    extent: Extent | None


@dataclass(frozen=True, slots=True)
class _Prompt:
    """What the prompt makes legitimate."""

    repetition: bool
    verse: bool
    dialogue: bool
    template: bool
    one_character: bool
    copies: int


class DegenerationJudge(RuleJudge):
    """Fails a collapsed answer: loops, character runs, repetition, template leaks, empty or one character."""

    name = "degeneration"
    version = "1"

    def __init__(self, policy: DegenerationPolicy) -> None:
        self._policy = policy
        self._asks = {
            name: _any_of(getattr(policy, f"asks_{name}"))
            for name in ("repetition", "verse", "dialogue", "template", "one_character")
        }

    def read(self, case: Case, replies: tuple[Reply, ...]) -> Verdict:
        if not case.answers:
            return self.verdict("unscored", "there is no answer to judge")
        prompt = self._prompt_of(case)
        findings = [
            (number, finding)
            for number, answer in enumerate(case.answers)
            for finding in self._findings(answer, case.probe, prompt)
        ]
        flags = ["trailing_token" for answer in case.answers if self._trailing(answer, prompt) is not None][:1]
        spans = tuple(
            Span(*finding.extent, why=finding.sentence, answer=number)
            for number, finding in findings
            if finding.extent is not None
        )
        if findings:
            number, first = findings[0]
            where = f"answer {number + 1}: " if len(case.answers) > 1 else ""
            return self.verdict(
                "fail", where + first.sentence, flags=("collapsed", *flags), spans=spans,
                labels=(("collapse_kind", first.kind),), signals=self._signals(case),
            )  # fmt: skip
        cut = next((answer for answer in case.answers if _is_cut_while_thinking(answer)), None)
        if cut is not None:
            reason = (
                f"the answer was cut after {cut.new_tokens} tokens, still thinking; raise max_new_tokens to judge it"
            )
            return self.verdict("unscored", reason, flags=("cut_while_thinking", *flags), signals=self._signals(case))
        return self.verdict("pass", "the text is not broken", flags=tuple(flags), signals=self._signals(case))

    def _prompt_of(self, case: Case) -> _Prompt:
        words = case.prompt
        said = {name: pattern is not None and pattern.search(words) is not None for name, pattern in self._asks.items()}
        named = [int(found) for found in _NUMBER.findall(words)]
        return _Prompt(
            repetition=said["repetition"], verse=said["verse"], dialogue=said["dialogue"],
            template=said["template"] or template_leak.mentions_template(words),
            one_character=said["one_character"] or len(_OPTION.findall(words)) >= 2,
            copies=max([self._policy.asked_copies, *named]),
        )  # fmt: skip

    def _findings(self, answer: Answer, probe: Probe, prompt: _Prompt) -> list[Finding]:
        found = [self._empty(answer, probe, prompt), self._leak(answer, prompt)]
        if not probe.expect_repetition:
            found.append(self._repetition(answer.answer, answer, prompt, "the answer", answer.answer_start))
            found.append(self._repetition(answer.thinking, answer, prompt, "the thinking", _thinking_start(answer)))
        return [finding for finding in found if finding is not None]

    def _empty(self, answer: Answer, probe: Probe, prompt: _Prompt) -> Finding | None:
        text = answer.answer.strip()
        extent = (answer.answer_start, len(answer.text))
        if not text:
            if _is_cut_while_thinking(answer) or "" in probe.expect.equals:
                return None
            return Finding("empty", "the answer is empty", extent)
        if _short_is_due(probe) or prompt.one_character:
            return None
        if all(not char.isalnum() and char.isascii() for char in text):
            return Finding("empty", f"the answer holds no word, only {_shown(text)}", extent)
        if len(text) == 1 and text.isascii() and text.isalpha():
            return Finding("empty", f"the answer is the single character {text!r}", extent)
        return None

    def _trailing(self, answer: Answer, prompt: _Prompt) -> template_leak.Leak | None:
        leak = None if prompt.template else template_leak.find_marker(_without_code(answer.answer))
        return leak if leak is not None and leak.is_trailing else None

    def _leak(self, answer: Answer, prompt: _Prompt) -> Finding | None:
        if prompt.template:
            return None
        visible = _without_code(answer.answer)
        leak = template_leak.find_marker(visible)
        if leak is not None and leak.is_trailing:
            leak = None
        kind = f"the template marker {leak.marker!r} leaked, with text after it" if leak is not None else ""
        if leak is None and not prompt.dialogue:
            leak = template_leak.find_invented_turn(visible)
            kind = "" if leak is None else f"the answer goes on with a turn of its own: {_shown(leak.marker)}"
        if leak is None:
            return None
        return Finding("template_leak", kind, (answer.answer_start + leak.start, answer.answer_start + leak.end))

    def _repetition(self, text: str, answer: Answer, prompt: _Prompt, part: str, offset: int | None) -> Finding | None:
        """The first repetition in one part of the answer; ``offset`` is where that part starts in the text."""
        if not text:
            return None
        policy = self._policy
        hidden = sorted([*code_extents(text), *table_extents(text)])
        tokens = Tokens.of(text, hidden)
        factor = policy.verse_factor if prompt.verse else 1.0
        loop = find_loop(tokens, policy.loops, policy.loop_max_period, factor)
        if loop is None:
            loop = self._unfinished_loop(text, answer)
        if loop is not None and not (prompt.repetition and not self._ran_away(loop, text, answer, prompt)):
            sentence = f"{part} repeats {_shown(loop.unit)} {int(loop.copies)} times in a row"
            return Finding("loop", sentence, _moved(loop, offset))
        if prompt.repetition:
            return None
        run = find_character_run(text, hidden, policy.run_max_period, policy.run_min_chars, policy.run_min_copies)
        if run is not None:
            sentence = f"{part} repeats the characters {_shown(run.unit)} {int(run.copies)} times in a row"
            return Finding("character_run", sentence, _moved(run, offset))
        share, words = repeated_share(tokens)
        limit = policy.repeated_share_verse if prompt.verse else policy.repeated_share
        if words >= policy.repeated_min_words and share > limit:
            sentence = f"{share:.0%} of the four-word sequences of {part} occurred before ({words} words)"
            return Finding("repetition", sentence, _moved(Repeat(0, len(text), "", share), offset))
        return None

    def _unfinished_loop(self, text: str, answer: Answer) -> Repeat | None:
        """A loop inside code or a table that only the token limit ended."""
        if answer.finish != "length":
            return None
        policy = self._policy
        loop = find_loop(Tokens.of(text), policy.loops, policy.loop_max_period, policy.unfinished_factor)
        return loop if loop is not None and _reaches_end(loop, text) else None

    def _ran_away(self, loop: Repeat, text: str, answer: Answer, prompt: _Prompt) -> bool:
        """Whether asked-for repetition went on until the token limit, far past any number the prompt names."""
        return answer.finish == "length" and _reaches_end(loop, text) and loop.copies > 3 * prompt.copies

    def _signals(self, case: Case) -> tuple[tuple[str, float], ...]:
        share = max(repeated_share(Tokens.of(answer.answer))[0] for answer in case.answers)
        return (("repeated_share", round(share, 4)),)


def _any_of(phrases: tuple[str, ...]) -> re.Pattern[str] | None:
    return re.compile("|".join(phrases), re.IGNORECASE) if phrases else None


def _without_code(text: str) -> str:
    blocks, _ = fenced_blocks(text)
    return blank(text, code_extents(text)) if "`" in text or blocks else text


def _short_is_due(probe: Probe) -> bool:
    """Whether a single character can be the whole answer."""
    expect = probe.expect
    if expect.choice is not None or expect.number is not None or any(len(text) <= 1 for text in expect.equals):
        return True
    return any(limit is not None and limit <= 3 for limit in (expect.max_chars, expect.max_words))


def _is_cut_while_thinking(answer: Answer) -> bool:
    has_thought = bool(answer.thinking) or "<think" in answer.text[:40].lower()
    return answer.finish == "length" and has_thought and not answer.answer.strip()


def _thinking_start(answer: Answer) -> int | None:
    """Where the thinking starts in the text; None when several blocks were joined or it came in a field of its own."""
    found = answer.text.find(answer.thinking) if answer.thinking else -1
    return None if found < 0 else found


def _reaches_end(loop: Repeat, text: str) -> bool:
    return len(text.rstrip()) - loop.end <= max(len(loop.unit), 1)


def _moved(found: Repeat, offset: int | None) -> Extent | None:
    return None if offset is None else (offset + found.start, offset + found.end)


def _shown(text: str) -> str:
    flat = " ".join(text.split())
    return repr(flat if len(flat) <= _SHOWN else flat[: _SHOWN - 1] + "…")
