"""Which kinds of judge a policy file can define."""

from __future__ import annotations

from evalkit.reading.policies.base import PolicyFile
from evalkit.reading.policies.behaviour import BehaviourFile
from evalkit.reading.policies.degeneration import DegenerationFile
from evalkit.reading.policies.facts import FactsFile
from evalkit.reading.policies.instrument_trap import InstrumentTrapFile
from evalkit.reading.policies.lexicon import LexiconFile
from evalkit.reading.policies.panel import PanelFile
from evalkit.reading.policies.rubric import RubricFile

KINDS: dict[str, type[PolicyFile]] = {
    "behaviour": BehaviourFile,
    "degeneration": DegenerationFile,
    "facts": FactsFile,
    "instrument_trap_compat": InstrumentTrapFile,
    "lexicon": LexiconFile,
    "panel": PanelFile,
    "rubric": RubricFile,
}
