"""The engine that answers from recordings."""

from __future__ import annotations

from itertools import islice
from pathlib import Path, PurePosixPath

from evalkit.engines.base import Pulse
from evalkit.engines.recordings import Key, Recording, nearest_recording, prompt_of, read_recordings, record_line
from evalkit.errors import EngineError
from evalkit.generation import Failure, Generation, Reply, Request
from evalkit.identity import canonical, conversation, digest_file
from evalkit.reading.garbage import no_garbage_search
from evalkit.target import Adapter, Engine, Settings, Target

__all__ = ["ReplayEngine", "record_line"]

FOLDER = "fixtures/recordings"
SHOWN_CHARACTERS = 80
AT_ONCE = 256
"""How many are answered in one step: the first are judged while the next are looked up and stored."""


class ReplayEngine:
    """Answers from ``fixtures/recordings/*.jsonl``; a request without a recording is a Failure that says what is there.

    A recording is found by (rendered messages, target label, sample index). The engine's setting ``recordings`` names
    files or patterns in that folder; without it every file there is read.
    """

    capabilities = frozenset({"adapters"})

    def __init__(self, engine: Engine, pulse: Pulse, root: Path) -> None:
        self._engine = engine
        self._pulse = pulse
        self._root = root
        self._queue: dict[str, Request] = {}
        self._recordings: dict[Key, Recording] | None = None

    def identity_facts(self, target: Target) -> Settings:
        """The digest of the recordings, so that editing one asks again, and the label by which they are found."""
        digests = [digest_file(file, None) for file in self._files().values()]
        recordings = digests[0] if len(digests) == 1 else canonical(digests)
        return (("recordings", recordings), ("target", target.label))

    def load(self, target: Target, adapters: tuple[tuple[Adapter, ...], ...]) -> None:
        if self._recordings is None:
            with no_garbage_search():
                self._recordings = read_recordings(self._files())

    def submit(self, request_id: str, request: Request) -> None:
        self._queue[request_id] = request

    def step(self) -> list[tuple[str, Generation | Failure]]:
        if not self._queue:
            return []
        now = list(islice(self._queue, AT_ONCE))
        replies = [(request_id, self._answer(self._queue.pop(request_id))) for request_id in now]
        self._pulse(sum(reply.new_tokens for _, reply in replies if isinstance(reply, Generation)))
        return replies

    def cancel(self, request_id: str) -> None:
        self._queue.pop(request_id, None)

    def close(self) -> None:
        self._queue.clear()

    def _answer(self, request: Request) -> Reply:
        if request.kind == "score":
            return Failure(f"Engine {self._engine.name!r} replays texts and has no log-probabilities to score with.")
        self.load(request.target, ())
        recordings = self._recordings or {}
        messages = conversation(request)
        found = recordings.get((messages, request.target.label, request.sample))
        return found.generation if found else Failure(_missing(request, list(recordings.values())))

    def _files(self) -> dict[str, Path]:
        """The recording files by the name that messages show, sorted."""
        wanted = self._engine.setting("recordings", "*.jsonl")
        patterns = (wanted,) if isinstance(wanted, str) else tuple(wanted)
        folder = self._root / FOLDER
        files: dict[str, Path] = {}
        for pattern in patterns:
            inside = PurePosixPath(pattern)
            if inside.is_absolute() or ".." in inside.parts:
                raise EngineError(f"Engine {self._engine.name!r}: recordings must lie in {FOLDER}; found {pattern!r}.")
            found = {f"{FOLDER}/{file.relative_to(folder).as_posix()}": file for file in folder.glob(pattern)}
            if not found:
                raise EngineError(
                    f"Engine {self._engine.name!r} has no recordings: nothing matches {pattern!r} in {FOLDER}. "
                    f"Record some with --eval-record {FOLDER}/NAME.jsonl"
                )
            files.update(found)
        return dict(sorted(files.items()))


def _missing(request: Request, recordings: list[Recording]) -> str:
    prompt = prompt_of(conversation(request))
    start = f"No recording for target {request.target.label!r}, sample {request.sample}, prompt {_short(prompt)!r}."
    nearest = nearest_recording(prompt, recordings)
    if nearest is None:
        return f"{start} The recordings are empty. Add a line to a file in {FOLDER}, or record with --eval-record."
    _, label, sample = nearest.key
    file = nearest.place.rsplit(":", 1)[0]
    return (
        f"{start} Nearest is {nearest.place}: target {label!r}, sample {sample}, prompt {_short(nearest.prompt)!r}. "
        f"Add a line to {file}, or record with --eval-record."
    )


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= SHOWN_CHARACTERS else f"{flat[: SHOWN_CHARACTERS - 1]}…"
