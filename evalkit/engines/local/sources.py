"""Where a model's or an adapter's files are, on this disk or on the hub, and what their digest is."""

from __future__ import annotations

import re
from collections.abc import Callable, MutableMapping
from pathlib import Path

from evalkit.engines.local.files import check_adapter_folder, check_model_folder
from evalkit.errors import EngineError
from evalkit.identity import COVERED_FILES, covered_files, digest_folder
from evalkit.target import Adapter, Model

Thing = Model | Adapter
COMMIT = re.compile(r"[0-9a-f]{40}")


class Sources:
    """Finds files and digests, and keeps to what it said first, so that what is loaded is what was identified.

    ``cache`` keeps the digests of model files between runs; adapters are read again in every run.
    """

    def __init__(
        self, cache: MutableMapping[str, str], reading: Callable[[int, int], None] = lambda done, total: None
    ) -> None:
        """``reading`` hears how many bytes of how many were read, of files that are not in the cache."""
        self._cache = cache
        self._reading = reading
        self._commits: dict[tuple[str, str | None], str] = {}
        self._digests: dict[tuple[str, str | None], str] = {}

    def digest(self, thing: Thing) -> str:
        """The digest of a folder's files, or ``id@commit`` of a hub repository.

        Raises:
            EngineError: the folder or the repository cannot be used.
        """
        key = (thing.location, thing.revision)
        if key not in self._digests:
            self._digests[key] = self._digest_now(thing)
        return self._digests[key]

    def folder(self, thing: Thing) -> Path:
        """The checked folder to load from, downloaded first if it is on the hub.

        Raises:
            EngineError: the files are missing or broken, or are no longer those that were identified.
        """
        folder = Path(thing.location) if thing.is_local else self._downloaded(thing)
        _check(thing, folder)
        if self.digest(thing) != self._digest_now(thing):
            raise EngineError(
                f"{_what(thing)} changed on disk during the run, so its answers would be filed under other weights. "
                "Start the run again."
            )
        return folder

    def _digest_now(self, thing: Thing) -> str:
        if not thing.is_local:
            return f"{thing.location}@{self._commit(thing)}"
        folder = Path(thing.location)
        _check(thing, folder)
        total = sum(file.stat().st_size for file in covered_files(folder))
        done = 0

        def read(count: int) -> None:
            nonlocal done
            done += count
            self._reading(done, total)

        return digest_folder(folder, None if isinstance(thing, Adapter) else self._cache, read)

    def _commit(self, thing: Thing) -> str:
        """The commit that a hub repository's revision stands for now."""
        if thing.revision is not None and COMMIT.fullmatch(thing.revision):
            return thing.revision
        key = (thing.location, thing.revision)
        if key not in self._commits:
            self._commits[key] = _ask_hub(thing) or _ask_hub_cache(thing)
        return self._commits[key]

    def _downloaded(self, thing: Thing) -> Path:
        from huggingface_hub import snapshot_download

        commit = self._commit(thing)
        try:
            return Path(snapshot_download(thing.location, revision=commit, allow_patterns=list(COVERED_FILES)))
        except Exception as error:
            raise _hub_error(thing, error) from error


def _ask_hub(thing: Thing) -> str | None:
    """The commit by the hub itself; None where the hub cannot be reached or must not be."""
    from huggingface_hub import HfApi, constants, errors

    if constants.is_offline_mode():
        return None
    try:
        return HfApi().model_info(thing.location, revision=thing.revision).sha
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError, errors.HFValidationError) as error:
        raise _hub_error(thing, error) from error
    except Exception:  # any network trouble: what is in the cache still counts
        return None


def _ask_hub_cache(thing: Thing) -> str:
    """The commit of the copy in the local hub cache."""
    from huggingface_hub import errors, try_to_load_from_cache

    name = "adapter_config.json" if isinstance(thing, Adapter) else "config.json"
    try:
        found = try_to_load_from_cache(thing.location, name, revision=thing.revision)
    except errors.HFValidationError as error:
        raise _hub_error(thing, error) from error
    if not isinstance(found, str):
        what = _what(thing) if thing.revision is None else f"Revision {thing.revision!r} of {_named(thing)}"
        option = "" if thing.revision is None else f" --revision {thing.revision}"
        raise EngineError(
            f"{what} is not in the local hub cache and the hub cannot be reached. "
            f"Download it once with: hf download {thing.location}{option}"
        )
    return Path(found).parent.name


def _hub_error(thing: Thing, error: Exception) -> EngineError:
    from huggingface_hub import errors

    what = _what(thing)
    if isinstance(error, errors.GatedRepoError):
        return EngineError(
            f"{what} is gated. Accept its terms at https://huggingface.co/{thing.location} and set HF_TOKEN."
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return EngineError(f"{what} is not on the hub, or is private. Check the name, or set HF_TOKEN.")
    if isinstance(error, errors.RevisionNotFoundError):
        return EngineError(f"{what} has no revision {thing.revision!r} on the hub.")
    if isinstance(error, errors.HFValidationError):
        return EngineError(f"{what} is neither a folder nor a hub id of the form owner/name.")
    return EngineError(f"{what} cannot be downloaded from the hub: {type(error).__name__}: {error}")


def _check(thing: Thing, folder: Path) -> None:
    check = check_adapter_folder if isinstance(thing, Adapter) else check_model_folder
    check(folder, _what(thing))


def _what(thing: Thing) -> str:
    named = _named(thing)
    return named[0].upper() + named[1:]


def _named(thing: Thing) -> str:
    return f"{'adapter' if isinstance(thing, Adapter) else 'model'} {thing.shown!r}"
