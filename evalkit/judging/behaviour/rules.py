"""Which rule decides about which of the eight Instrument Trap categories."""

from __future__ import annotations

from evalkit.judging.behaviour.adversarial import adversarial
from evalkit.judging.behaviour.control import control
from evalkit.judging.behaviour.correction import correction
from evalkit.judging.behaviour.gap import gap
from evalkit.judging.behaviour.humility import humility
from evalkit.judging.behaviour.identity import identity
from evalkit.judging.behaviour.open_question import open_question
from evalkit.judging.behaviour.passage import passage
from evalkit.judging.behaviour.ruling import Rule

RULES: dict[str, Rule] = {
    "adversarial": adversarial,
    "gap": gap,
    "correction": correction,
    "identity": identity,
    "passage": passage,
    "humility": humility,
    "open_question": open_question,
    "control": control,
}
