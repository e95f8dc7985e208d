"""What the prompt makes legitimate, and which languages it asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from evalkit.judging import template_leak
from evalkit.judging.collapse.languages import Languages, languages_of_scripts, scripts_of
from evalkit.judging.collapse.letter_case import shows_alternating_case
from evalkit.judging.collapse.policy import DegenerationPolicy
from evalkit.probe import Expectation, Message, Probe
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
_MENTION = re.compile("['\"“„‘«]|, ")
"""Without one of these no word is spoken about."""
_QUANTITY = re.compile(
    r"\d|how (?:many|much|old|long|tall|far|big)|what (?:year|number|time|age)|\b(?:number|digit|count|sum|rate|rating|"
    r"score|scale|total|age|year|cuánt\w+|cuant\w+|número|combien|wie ?viele?|quant\w+|hoeveel|сколько|число)\b|"
    r"多少|几|數|数|いくつ|何|كم",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the prompt asks for; ``languages`` may be answered in, ``declared`` if the case itself says which.

    ``opening`` is the language of the prompt; ``scripts`` those an answer may hold; ``copies`` the largest number the
    prompt names, 0 without one.
    """

    prompt: str
    system: str
    wants: frozenset[str]
    copies: int
    languages: frozenset[str]
    scripts: frozenset[str]
    opening: str | None
    declared: bool
    expect: Expectation

    def has(self, *names: str) -> bool:
        """Whether the prompt asks for any of these."""
        return not self.wants.isdisjoint(names)


class PromptReader:
    """Reads prompts by the policy's patterns, compiled once."""

    def __init__(self, policy: DegenerationPolicy) -> None:
        self._languages = Languages([*policy.function_words, *policy.prompt_words])
        self._names = {name: code for code, names in policy.language_names for name in names}
        self._patterns = {
            name.removeprefix("asks_"): re.compile("|".join(getattr(policy, name)), re.IGNORECASE | re.MULTILINE)
            for name in policy.__slots__
            if name.startswith("asks_") and getattr(policy, name)
        }
        named = "|".join(sorted(map(re.escape, self._names), key=len, reverse=True))
        self._mentioned = _mentioning({word for _, words in policy.function_words for word in words})
        self._named = re.compile(rf"(?<![^\W\d_])(?:{named})(?![a-zà-ÿ])", re.IGNORECASE)
        order = "|".join(policy.answer_in).replace("LANGUAGE", f"(?P<language>{named})")
        self._answer_in = re.compile(_numbered(order), re.IGNORECASE)
        self._both = re.compile(
            rf"(?<![^\W\d_])(?:{named})\b[ ,/&+]{{1,3}}(?:(?:and|then|plus|or|y|e|und|et|en|as well as|dann|puis)"
            rf"\b ?)?(?:(?:also|auch) )?(?:in |en |auf |em )?(?:{named})(?![a-zà-ÿ])",
            re.IGNORECASE,
        )

    def read(self, case: Case) -> Asked:
        """What this case asks for."""
        prompt = case.prompt
        system = "\n".join(text for text in (case.system, _system_turns(case.probe)) if text)
        wants = {name for name, pattern in self._patterns.items() if pattern.search(prompt)}
        wants |= {"repetition"} if case.probe.expect_repetition else set()
        wants |= {"template"} if template_leak.mentions_template(prompt) else set()
        wants |= {"one_character"} if len(_OPTION.findall(prompt)) >= 2 or _short_is_due(case.probe) else set()
        wants |= {"quantity"} if _QUANTITY.search(prompt) else set()
        may_name = self._may_name(prompt)
        wants_both = may_name and self._both.search(prompt) is not None
        ordered = None if wants_both else self._ordered(prompt) or self._ordered(system)
        wants |= {"case"} if shows_alternating_case(prompt) else set()
        wants |= {"grammar"} if _MENTION.search(prompt) and self._mentioned.search(prompt) else set()
        opening = self._languages.of(prompt)
        named = {self._names[found.lower()] for found in self._named.findall(prompt)} if may_name else set()
        declared = _declared(case.probe) or ordered
        allowed = {ordered} if ordered else {language for language in (declared, opening) if language} | named
        wants |= {"languages"} if named and not ordered else set()
        return Asked(
            prompt, system, frozenset(wants), _largest_number(prompt), frozenset(allowed),
            scripts_of(prompt) | languages_of_scripts(allowed), opening, declared is not None, case.probe.expect,
        )  # fmt: skip

    def _ordered(self, text: str) -> str | None:
        """The language that a sentence like "answer in French" names."""
        if not self._may_name(text):
            return None
        for found in self._answer_in.finditer(text):
            for name in found.groupdict().values():
                if name:
                    return self._names[name.lower()]
        return None

    def _may_name(self, text: str) -> bool:
        """Whether the name of a language may stand in a text: looked for as such in ASCII, where case is plain."""
        lowered = text.lower()
        return not text.isascii() or any(name in lowered for name in self._names)


def _mentioning(words: set[str]) -> re.Pattern[str]:
    """Function words that are spoken about: in quotation marks, or three in a row with commas."""
    small = "(?:" + "|".join(sorted(map(re.escape, words), key=len, reverse=True)) + ")"
    both = "(?:and|or|y|o|und|oder|et|ou|e)"
    listed = rf"(?<!\w){small}, {small},? {both} {small}(?!\w)"
    return re.compile(rf"['\"“„‘«]{small}['\"“”’»]|{listed}", re.IGNORECASE)


def _numbered(pattern: str) -> str:
    """The pattern with each ``(?P<language>`` given a name of its own."""
    first, *others = pattern.split("(?P<language>")
    return first + "".join(f"(?P<language{number}>{part}" for number, part in enumerate(others))


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
