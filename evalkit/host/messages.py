"""What goes over the wire between the host, its clients and the controller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from evalkit.pickled import Pickled

if TYPE_CHECKING:
    from evalkit.generation import Reply
    from evalkit.matrix import Trial
    from evalkit.preflight import Finding
    from evalkit.record import TrialRecord
    from evalkit.target import Target

Phase = Literal["starting", "waiting", "loading", "generating", "judging", "idle"]
WhenBusy = Literal["wait", "share"]


@dataclass(frozen=True, slots=True)
class Run:
    """What the host must know of a run. Paths are absolute; ``record`` is where recordings go, if anywhere.

    ``max_usd`` is the most that requests to paid servers may cost together, in US dollars; ``max_usd_option`` is the
    option that says so. ``batch_rows`` marks a repetition that measures noise: at most so many rows run together, and
    its answers are stored apart from those that count. ``when_busy`` is what to do while another run has weights on the
    device; None leaves it to the device.
    """

    id: str
    workspace: str
    fresh: bool = False
    record: str | None = None
    max_usd: float = 5.0
    max_usd_option: str = "--eval-max-usd"
    batch_rows: int | None = None
    when_busy: WhenBusy | None = None


@dataclass(frozen=True, slots=True)
class Submit:
    """The trials a client selected, in plan order; sent once, before it wants anything.

    ``inspected`` are targets that are only looked at, each under the name it will be wanted by.
    """

    run: Run
    trials: tuple[Trial, ...]
    inspected: tuple[tuple[str, Target], ...] = ()


@dataclass(frozen=True, slots=True)
class Expect:
    """The trials that a client alone comes to, in that order, to judge each as ``worker``.

    With nothing else to do, the host judges ahead of it what it may, and answers with a Passed.
    """

    trials: tuple[str, ...]
    worker: str


@dataclass(frozen=True, slots=True)
class Want:
    """A client asks for one trial it submitted; answered by a tuple with its Settled, or Passed, when it is done.

    Or for a target it submitted to be looked at, by its name; answered by a tuple with its Inspected. ``following`` are
    trials that it is going to ask for next: those that are done by then are in the tuple too, up to the first that is
    not.
    """

    trial: str
    following: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Early:
    """A client waits for a trial before these: answered at once by a tuple of some that are done."""

    trials: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Settled(Pickled):
    """All replies of one trial: the target's answers in order, then each asking judge's, by index in ``judges``.

    A Failure ends ``replies``. ``judge_targets`` says whom each of ``judge_replies`` is from, None where a judge broke
    before anybody was asked. ``done`` of ``total`` trials of the host's plan are settled.
    """

    trial: str
    replies: tuple[Reply, ...]
    judge_replies: tuple[tuple[int, tuple[Reply, ...]], ...] = ()
    judge_targets: tuple[tuple[int, tuple[Target | None, ...]], ...] = ()
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Passed(Pickled):
    """A trial that its judges have let pass in the host: in place of its Settled, all that its client needs of it."""

    trial: str
    record: TrialRecord
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Inspected:
    """What the checks of one target came to, which was wanted as ``trial``; or why they could not be made."""

    trial: str
    findings: tuple[Finding, ...] = ()
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The host cannot serve this client at all (the store cannot be opened, say)."""

    reason: str


@dataclass(frozen=True, slots=True)
class Status:
    """What the host is doing; a line of JSON on its standard output.

    ``done`` of ``total`` answers are there, ``stored`` of them from the store. ``tokens`` were generated here in this
    run in ``generating_s`` seconds, ``served_tokens`` came from servers meanwhile; ``rate`` is new tokens per second of
    late, ``left_s`` the estimated time left, in which ``to_load`` weight sets are still to be loaded.
    ``loads`` counts how often weights were loaded; ``loaded`` is which share of what is ``loading`` is there.
    ``judged`` of ``questions`` that judges ask of models are answered;
    ``usd`` is what servers were paid, ``most_usd`` about the most it will be after this stage, ``max_usd`` what it may
    be. ``asked`` requests are with the engine now, ``in_flight`` of them in work where the engine says so. ``silent_s``
    is how long the host has shown no sign of life, where that is long; the controller fills it in. ``note`` is a
    sentence for the user, said once.
    """

    phase: Phase
    target: str = ""
    done: int = 0
    total: int = 0
    stored: int = 0
    tokens: int = 0
    served_tokens: int = 0
    generating_s: float = 0.0
    rate: float = 0.0
    left_s: float | None = None
    to_load: int = 0
    loads: int = 0
    loading: str = ""
    loaded: float | None = None
    judged: int = 0
    questions: int = 0
    usd: float = 0.0
    most_usd: float = 0.0
    max_usd: float = 0.0
    asked: int = 0
    in_flight: int | None = None
    silent_s: float = 0.0
    note: str | None = None
