"""Settings of every room's tests."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Two shared cores: an example that takes long says nothing about the code. And the same examples in every run: new ones
# are for who looks for them (pytest tests --hypothesis-profile=search), and fail nobody who changed nothing.
settings.register_profile("search", deadline=None)
settings.register_profile("evalkit", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("evalkit")

# A shell that starts the tests in its background has them ignore Ctrl-C, and the commands under test inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _shared_module(file: str, room: str = "engines") -> ModuleType:
    """A module of a room's tests that every room's tests may use, loaded once under a name of its own."""
    name = f"evalkit_tests_{file}"
    if name not in sys.modules:
        spec = spec_from_file_location(name, Path(__file__).parent / room / f"{file}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope="session")
def api() -> ModuleType:
    """The module of the scripted server: what its behaviours are made with (``api.ok``, ``api.failing``, …)."""
    return _shared_module("api_server")


@pytest.fixture(scope="session")
def growth() -> Callable[..., float]:
    """``growth(work, small, large)``: how many times as long the work takes on the large thing."""
    found: Callable[..., float] = _shared_module("growth", "judging").growth
    return found


@pytest.fixture(scope="session")
def least_seconds() -> Callable[..., float]:
    """``least_seconds(work, at_most)``: what it takes of the processor's time, the least of some tries."""
    found: Callable[..., float] = _shared_module("growth", "judging").least_seconds
    return found


@pytest.fixture(scope="session")
def families() -> ModuleType:
    """The module that makes tiny models of five families."""
    return _shared_module("tiny_families")


@pytest.fixture
def api_server(api: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A server that plays the Anthropic and the OpenAI API; both key variables hold its key."""
    for variable in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(variable, api.KEY)
    server = api.ApiServer()
    yield server
    server.close()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    """A headless Chromium with a fresh profile, driven by keys; downloads go to ``browser.downloads``."""
    chromium = _shared_module("chromium", "sheets")
    missing = chromium.missing()
    if missing:
        (pytest.fail if os.environ.get("EVALKIT_NEEDS_CHROMIUM") else pytest.skip)(missing)
    opened = chromium.Browser(tmp_path / "downloads")
    yield opened
    opened.close()


@pytest.fixture
def firefox(tmp_path: Path) -> Iterator[Any]:
    """A headless Firefox with a fresh profile, driven by keys; downloads go to ``firefox.downloads``."""
    driven = _shared_module("firefox", "sheets")
    missing = driven.missing()
    if missing:
        pytest.skip(missing)
    opened = driven.Firefox(tmp_path / "firefox")
    yield opened
    opened.close()
