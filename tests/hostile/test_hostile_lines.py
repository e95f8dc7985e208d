"""Lines that a terminal or a build server could take for more than text."""

from __future__ import annotations

import pytest

from evalkit.host.messages import Status
from evalkit.reporting.safe_text import for_terminal
from evalkit.status_text import status_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error file=a.py::hit", ": :error file=a.py::hit"),
        ("x::stop-commands::tok", "x: :stop-commands::tok"),
        ("##[add-mask]a", "# #[add-mask]a"),
        ("##vso[task.setvariable variable=PATH]/evil", "# #vso[task.setvariable variable=PATH]/evil"),
        ("##teamcity[buildStatus text='ok']", "# #teamcity[buildStatus text='ok']"),
        ("suites/x.yaml::error-7[one:fp32:naked:greedy]", "suites/x.yaml::error-7[one:fp32:naked:greedy]"),
        ("## heading", "## heading"),
    ],
)
def test_build_servers_are_not_commanded(text: str, shown: str) -> None:
    """Wherever in a line it lands, also where the terminal's width breaks it; node ids stay as they are."""
    assert for_terminal(text) == shown


@pytest.mark.parametrize("width", [None, 60])
def test_the_status_line_shows_names_alone(width: int | None) -> None:
    """What the host is doing, with a hostile target's name in it."""
    status = Status("generating", target="one\x1b[31m\u202e\n::error::x", done=1, total=2)

    said = status_text(status, "log\x1b]0;x\x07", width)
    assert said.startswith("evalkit: generating one⏎: :error::x")
    assert said.isprintable()
