"""Which kinds of judge a policy file can define."""

from __future__ import annotations

from evalkit.reading.policies.base import PolicyFile
from evalkit.reading.policies.behaviour import BehaviourFile
from evalkit.reading.policies.degeneration import DegenerationFile

KINDS: dict[str, type[PolicyFile]] = {
    "behaviour": BehaviourFile,
    "degeneration": DegenerationFile,
}
