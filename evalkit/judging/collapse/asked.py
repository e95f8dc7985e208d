"""What the prompt makes legitimate, and which languages it asks for."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property, lru_cache

from evalkit.judging import template_leak
from evalkit.judging.collapse.languages import Languages, languages_of_scripts, scripts_of
from evalkit.judging.collapse.letter_case import shows_alternating_case
from evalkit.judging.collapse.policy import DegenerationPolicy
from evalkit.judging.collapse.prompt_patterns import (
    ANSWER_IN,
    BOTH,
    MENTIONED,
    NAMED,
    QUANTITY,
    asking,
    folded,
    speaking,
)
from evalkit.probe import Message, Probe
from evalkit.transcript import Case

_OPTION = re.compile(r"(?:^|\s)\(?[A-Ea-e1-5][).:]\s", re.MULTILINE)
_NUMBER = re.compile(r"(?<![\w.])[0-9]{1,6}(?![\w])")
_NUMBER_WORDS = {
    word: number
    for words, number in (
        ("two dos deux zwei duas dois due twee", 2), ("three tres trois drei três tre drie", 3),
        ("four cuatro quatre vier quatro quattro", 4), ("five cinco cinq fünf cinque vijf", 5),
        ("six seis sechs sei zes", 6), ("seven siete sept sieben sete sette zeven", 7),
        ("eight ocho huit acht oito otto", 8), ("nine nueve neuf neun nove negen", 9),
        ("ten diez dix zehn dez dieci tien", 10), ("dozen twelve doce douze zwölf doze dodici", 12),
        ("fifteen quince quinze fünfzehn", 15), ("twenty veinte vingt zwanzig vinte venti", 20),
        ("thirty treinta trente dreißig", 30), ("forty cuarenta quarante", 40), ("fifty cincuenta", 50),
        ("hundred cien cent hundert cem cento", 100), ("thousand mil mille tausend", 1000),
    )
    for word in words.split()
}  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+")
_ANY_WORD = re.compile(r"[^\W_]+")


class Asked:
    """What the prompt of a case asks for; each thing is read when a detector first wants to know it."""

    def __init__(self, probe: Probe, system: str, reader: PromptReader) -> None:
        self.probe = probe
        self.system_in_front = system
        self.prompt = probe.prompt
        self.expect = probe.expect
        self._reader = reader
        self._known: dict[str, bool] = {}

    @cached_property
    def candidates(self) -> frozenset[tuple[str, int]]:
        """The policy's patterns that may be found in the prompt."""
        return self._reader.asking.candidates(self.prompt)

    def has(self, *names: str) -> bool:
        """Whether the prompt asks for any of these."""
        for name in names:  # noqa: SIM110 - a third of the time of any(...)
            if self._wants(name):
                return True
        return False

    def _wants(self, name: str) -> bool:
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = self._reader.wants(name, self)
        return known

    @cached_property
    def system(self) -> str:
        """What was said to the target as its system, in front of the conversation and in it."""
        return "\n".join(text for text in (self.system_in_front, _system_turns(self.probe)) if text)

    @cached_property
    def words(self) -> frozenset[str]:
        """The different runs of letters and digits of the prompt, in small letters."""
        return frozenset(_ANY_WORD.findall(self.prompt.lower()))

    @cached_property
    def copies(self) -> int:
        """The largest number that the prompt names, 0 without one."""
        return _largest_number(self.prompt)

    @property
    def ordered(self) -> str | None:
        """The language that the prompt or the system text orders in so many words."""
        if self._reader.names_both(self.prompt):
            return None
        return self._reader.ordered(self.prompt) or (self._reader.ordered(self.system) if self.system else None)

    @cached_property
    def opening(self) -> str | None:
        """The language of the prompt."""
        return self._reader.language_of(self.prompt)

    @property
    def named(self) -> frozenset[str]:
        """The languages that the prompt names."""
        return self._reader.named(self.prompt)

    @property
    def declared(self) -> bool:
        """Whether the case itself says which language is due."""
        return bool(_declared(self.probe) or self.ordered)

    @cached_property
    def languages(self) -> frozenset[str]:
        """Those that may be answered in."""
        ordered = self.ordered
        if ordered:
            return frozenset((ordered,))
        return self.named.union(language for language in (_declared(self.probe), self.opening) if language)

    @cached_property
    def scripts(self) -> frozenset[str]:
        """Those an answer may hold."""
        return scripts_of(self.prompt) | languages_of_scripts(self.languages)


class PromptReader:
    """Reads prompts by the policy's patterns, each compiled once, when it may be found."""

    def __init__(self, policy: DegenerationPolicy) -> None:
        self._languages = Languages([*policy.function_words, *policy.prompt_words])
        self._names = {folded(name): code for code, names in policy.language_names for name in names}
        self.asking = asking(policy)
        self._patterns: dict[str, list[tuple[str, int]]] = {}
        for pattern in self.asking:
            self._patterns.setdefault(pattern[0], []).append(pattern)
        self._speaking = speaking(policy)
        self._last: Asked | None = None
        self._may_speak = lru_cache(maxsize=16)(self._speaking.candidates)
        self._also: dict[str, Callable[[Asked], bool]] = {
            "repetition": lambda asked: asked.probe.expect_repetition,
            "template": lambda asked: template_leak.mentions_template(asked.prompt),
            "one_character": lambda asked: len(_OPTION.findall(asked.prompt)) >= 2 or _short_is_due(asked.probe),
            "quantity": lambda asked: self._asks(QUANTITY, asked),
            "case": lambda asked: shows_alternating_case(asked.prompt),
            "grammar": lambda asked: self._is_found(MENTIONED, asked.prompt),
            "languages": lambda asked: bool(asked.named) and not asked.ordered,
        }

    def read(self, case: Case) -> Asked:
        """What this case asks for; answers to one probe often come one after the other."""
        last = self._last
        if last is None or last.probe is not case.probe or last.system_in_front != case.system:
            last = self._last = Asked(case.probe, case.system, self)
        return last

    def wants(self, name: str, asked: Asked) -> bool:
        """Whether a prompt asks for this by the policy's patterns, or in another way that goes by the same name."""
        also = self._also.get(name)
        return self._asks(name, asked) or (also is not None and also(asked))

    def _asks(self, name: str, asked: Asked) -> bool:
        return any(
            pattern in asked.candidates and self.asking[pattern].search(asked.prompt) is not None
            for pattern in self._patterns.get(name, ())
        )

    def language_of(self, text: str) -> str | None:
        """The language of a prompt: words that prompts open with count too."""
        return self._languages.of(text)

    def named(self, text: str) -> frozenset[str]:
        """The languages a text names."""
        found = self._speaking[NAMED].findall(text) if NAMED in self._may_speak(text) else ()
        return frozenset(self._names[folded(name)] for name in found)

    def names_both(self, text: str) -> bool:
        """Whether a text names two languages in one breath."""
        return self._is_found(BOTH, text)

    def ordered(self, text: str) -> str | None:
        """The language that a sentence like "answer in French" names."""
        if ANSWER_IN not in self._may_speak(text):
            return None
        for found in self._speaking[ANSWER_IN].finditer(text):
            for name in found.groupdict().values():
                if name:
                    return self._names[folded(name)]
        return None

    def _is_found(self, name: str, text: str) -> bool:
        return name in self._may_speak(text) and self._speaking[name].search(text) is not None


def _declared(probe: Probe) -> str | None:
    return probe.language.lower().replace("_", "-").partition("-")[0] if probe.language else None


def _system_turns(probe: Probe) -> str:
    return "\n".join(turn.content for turn in probe.turns if isinstance(turn, Message) and turn.role == "system")


def _largest_number(prompt: str) -> int:
    named = [int(found) for found in _NUMBER.findall(prompt)]
    named += [_NUMBER_WORDS[word] for word in _WORD.findall(prompt.lower()) if word in _NUMBER_WORDS]
    return max(named, default=0)


def _short_is_due(probe: Probe) -> bool:
    """Whether a single character can be the whole answer."""
    expect = probe.expect
    if expect.choice is not None or expect.number is not None or any(len(text) <= 1 for text in expect.equals):
        return True
    return any(limit is not None and limit <= 3 for limit in (expect.max_chars, expect.max_words))
