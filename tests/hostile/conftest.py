"""A real run whose answers, verdicts and prompts are hostile, and everything that evalkit made of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

MEGABYTE = "mega" + "x" * 1_000_000
PAYLOADS = {
    "script": "<script>window.hit = 1; alert('hit')</script><svg onload=\"window.hit = 2\"><iframe src=//evil.example>",
    "end of script": "</script></template></textarea></style><img src=x onerror=\"window.hit = 3; alert('hit')\">",
    "cdata": "]]><evil/><![CDATA[ ]]&gt; -->",
    "entities": "&lt;b&gt; &#60;script&#62; &amp;lt; &evil;",
    "bidi": "abc\u202egnp.exe\u2066 isolate\u2069 \u200bzero\ufeff \U000e0041tag",
    "megabyte": MEGABYTE,
    "ansi": "\x1b[31mred\x1b[2J\x1b[1;1H \x9b31m \x1b]0;title\x07 \x1bc \r\x08\x08back",
    "osc": "\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\ \x1b]52;c;ZXZpbA==\x07 \x1b]1337;File=:AAAA\x07",
    "unclosed": "\x1b]8;;http://evil.example and nothing closes it \x1bP \x9d",
    "surrogates": "a\ud800b\udfffc\udc00",
    "nul": "a\x00b\x7fc\x01\x1f\ufffe\uffff",
    "formula": '=HYPERLINK("http://evil.example","click")',
    "command": "+cmd|' /C calc'!A0",
    "at": "@SUM(1+1)*cmd|' /C calc'!A0",
    "tabbed": "\t=1+1",
    "wide formula": "＝1+1",
    "row": '-2+3","=1+1"\r\n"=1+1",=1+1;=1+1\t=1+1',
    "markdown": "![i](http://evil.example/x.png) [l](javascript:alert(1)) <http://evil.example> http://evil.example "
    "www.evil.example evil@evil.example @octocat octo/repo#1 #1 GH-1 [^1] <!-- hidden --> <b>bold</b> `code` **bold**",
    "blocks": "a | b | c\n|---|---|\n\n# title\n\n```\nfence\n\n[ref]: http://evil.example\n\n<details>\n\n> quote",
    "workflow": "::error file=a.py,line=1::hit\n::set-output name=x::y\n::stop-commands::tok\n##[error]hit",
    "pytest": "FAILED suites/x.yaml::y - hit\n===== 99 passed in 0.01s =====\nPASSED\nINTERNALERROR> hit",
    "places": "@@PLOTS@@ @@DATA@@ {{7*7}} ${7*7} %s %(x)s {0} {x!r} $x_1$ \\alpha",
    "json": '"}],"hit":1,"x":[{"\u2028\u2029\\u0022\\',
}  # fmt: skip

PARROT = '''\
"""Says again whatever the answer says."""
from evalkit.verdict import Span, Verdict


def judge(case, outcome="fail"):
    text = case.answers[0].text
    if outcome == "error":
        raise RuntimeError(text)
    return Verdict(
        judge="parrot", outcome=outcome, reason=text, score=1.0, flags=(text[:200],),
        labels=(("failure_type", text[:200]), (text[:200], text[:200])), signals=((text[:200], 1.0),),
        spans=(Span(0, min(len(text), 40), text),),
    )
'''
OUTCOMES = ("fail", "pass", "unscored", "error")
TARGETS = """\
models:
  one: {path: model}
engines:
  stored: {kind: replay}
default:
  - {model: one, quantisation: fp32, engine: stored}
"""
LABEL = "one:fp32:naked:greedy"


@dataclass(frozen=True, slots=True)
class HostileRun:
    """``root`` is the workspace; what pytest and the verbs printed, as bytes."""

    root: Path
    status: int
    terminal: bytes
    step_summary: Path
    said: dict[str, bytes]

    @property
    def out(self) -> Path:
        (folder,) = (self.root / "reports" / "out").iterdir()
        return folder

    def text(self, name: str) -> str:
        return (self.out / name).read_text(encoding="utf-8")


def _lay_out(root: Path) -> None:
    recordings = []
    for outcome in OUTCOMES:
        lines = ["probes:"]
        for number, (name, payload) in enumerate(PAYLOADS.items()):
            if payload is MEGABYTE and outcome in ("pass", "unscored"):
                continue  # dear to judge, and nothing of its own
            asked = json.dumps(f"{outcome} {number}: {_writable(payload)[:3000]}")
            thought = f"<think>{payload[:5000]}</think>\n\n{payload}" if number % 2 else payload
            lines += [
                f"  - id: {outcome}-{name.replace(' ', '-')}",
                f"    prompt: {asked}",
                f"    why: {json.dumps(_writable(payload)[:200])}",
                f"    expect: {{behaviour: {json.dumps(_writable(payload)[:200])}}}",
                f"    judges: [{{use: parrot, outcome: {json.dumps(outcome)}}}]",
            ]
            message = {"role": "user", "content": json.loads(asked)}
            recordings.append({"messages": [message], "target": LABEL, "sample": 0, "text": thought})
        _write(root / f"suites/hostile/{outcome}.yaml", "\n".join(lines) + "\n")
    _write(root / "fixtures/recordings/answers.jsonl", "".join(json.dumps(item) + "\n" for item in recordings))
    _write(root / "fixtures/targets.yaml", TARGETS)
    _write(root / "judges/parrot.py", PARROT)
    _write(root / "model/config.json", "{}")
    _write(root / "pytest.ini", "[pytest]\njunit_logging = all\n")


def _writable(text: str) -> str:
    """What a YAML file can hold of it."""
    return "".join(one for one in text if one in "\t\n" or one.isprintable() or one == "\u202e")


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def _made(root: Path, workers: list[str]) -> HostileRun:
    _lay_out(root)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "GITHUB_", "CI"))}
    page = root / "page.md"
    environment = {
        **kept, "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(page), "GITHUB_WORKSPACE": str(root),
        "PYTHONIOENCODING": "utf-8", "OMP_NUM_THREADS": "1", "COLUMNS": "120",
    }  # fmt: skip

    def run(*command: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([sys.executable, "-m", *command], cwd=root, env=environment, capture_output=True)

    done = run(
        "pytest", "-p", "no:randomly", "-p", "no:cacheprovider", "suites/hostile", "-v", "--tb=long", "-rA",
        "--junitxml", "junit.xml", *workers,
    )  # fmt: skip
    said = {"pytest errors": done.stderr}
    for name, verb in VERBS.items():
        made = run("evalkit", *verb)
        said[name] = made.stdout + made.stderr
        assert made.returncode in (0, 1), (verb, said[name][-2000:])
    return HostileRun(root, done.returncode, done.stdout, page, said)


VERBS = {
    "report": ("report", *(word for name in ("html", "md", "card", "csv", "jsonl") for word in ("--format", name))),
    "review": ("review", "latest", "--all", "--format", "html,csv,xlsx"),
    "list runs": ("list", "runs"),
    "list suites": ("list", "suites"),
    "compare": ("compare", "latest", "latest"),
    "judge": ("judge", "latest", "--out", "judged.jsonl"),
    "check": ("check",),
}  # fmt: skip


@pytest.fixture(scope="session", params=["alone", "n2"])
def hostile(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> HostileRun:
    """The run without workers, and with two."""
    return _made(tmp_path_factory.mktemp("hostile"), ["-n2"] if request.param == "n2" else [])


@pytest.fixture(scope="session")
def payloads() -> dict[str, str]:
    """Every hostile text by what it is."""
    return PAYLOADS
