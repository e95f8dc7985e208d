"""`make bench`: measures what docs/performance.md describes and writes benchmarks/RESULTS.md, nothing else does.

    python benchmarks/run_all.py [--only 1 3] [--rounds 3] [--resume] [--install]

The contestants of a step run in turn (A B C A B C …). Every step has a budget of seconds: what does not fit into it is
left out and the file says so. Each run is kept as it ends, so that --resume goes on where an interrupted command was.
Models, prompts and the rivals' environments live in $EVALKIT_BENCH_CACHE (~/.cache/evalkit-bench).
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from contestant_commands import (
    CACHE,
    ENVIRONMENT,
    EVALKIT,
    HERE,
    PYTEST,
    RIVALS,
    Contestant,
    contestants,
    install_rivals,
    rival_python,
)
from generation_works import make
from machine_facts import facts, state_of_the_code
from process_tree import Cost, measured
from replay_works import plain_tests, replay_workspace
from results_file import Bar, StepResult, written

LIMIT_S = 150.0
MANY, FEW = 15_000, 1_000
SECONDS = {1: 360, 2: 300, 3: 130, 4: 260, 5: 40, 6: 330, 7: 20}
GENERATION_BARS = (
    Bar("evalkit -n 0 against the bare script, wall", "evalkit -n 0", "bare script", 1.10),
    Bar("evalkit -n 4 against the bare script, wall", "evalkit -n 4", "bare script", 1.25),
    Bar("evalkit -n 0 against lm-eval, wall", "evalkit -n 0", "lm-eval", 0.75),
    Bar("evalkit -n 0 against inspect_ai, wall", "evalkit -n 0", "inspect_ai", 0.6),
    Bar("PSS at -n 4 against -n 0", "evalkit -n 4", "evalkit -n 0", 1.35, "pss_mib"),
    Bar("the largest worker, PSS", "evalkit -n 4", None, 60, "worker_mib", unit="MiB"),
)
REPLAY_BARS = (
    Bar("15,000 probes against 15,000 plain tests, wall", "evalkit 15,000", "plain 15,000", 1.5),
    Bar("a probe at 15,000 against one at 1,000, wall", "evalkit 15,000", "evalkit 1,000", 1.1, divided=(MANY, FEW)),
    Bar("memory, PSS of all processes", "evalkit 15,000", None, 300, "pss_mib", unit="MiB"),
)
QUICK = ("evalkit --version", "evalkit list", "pytest --co of one file")
QUICK_BARS = tuple(Bar(f"{name}, wall", name, None, 0.6, unit="s") for name in QUICK)


@dataclass(slots=True)
class Bench:
    """Where things are, what was asked for, what is known so far."""

    cache: Path
    scratch: Path
    rounds: int
    kept: Path
    head: list[str]
    only: Sequence[int]
    results: list[StepResult] = field(default_factory=list)

    def earlier(self, step: str) -> dict[tuple[str, int], Cost]:
        """What an interrupted command measured already, by contestant and round."""
        rows = self.kept.read_text(encoding="utf-8").splitlines()[1:] if self.kept.exists() else []
        plain = [json.loads(row) for row in rows]
        return {(row["contestant"], row["round"]): Cost(**row["cost"]) for row in plain if row["step"] == step}

    def keep(self, step: str, contestant: str, number: int, cost: Cost) -> None:
        row = {"step": step, "contestant": contestant, "round": number, "cost": cost.plain()}
        with self.kept.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def write(self) -> None:
        written(self.head, self.results)


def in_turn(bench: Bench, title: str, entered: Sequence[Contestant], bars: Sequence[Bar], budget_s: float) -> None:
    """Every contestant once a round; what is left of the budget decides whether another run still fits."""
    result = StepResult(title, {one.name: [] for one in entered}, bars)
    bench.results.append(result)
    earlier, begun, gone = bench.earlier(title), time.monotonic(), set()
    for number in range(1, bench.rounds + 1):
        for one in entered:
            if number > one.rounds or one.name in gone:
                continue
            cost = earlier.get((one.name, number))
            if cost is None:
                last = max((run.wall_s for run in result.runs[one.name]), default=0.0)
                if time.monotonic() - begun + last > budget_s:
                    result.notes.append(f"{one.name}, round {number}: left out, the step's {budget_s:.0f} s were over")
                    gone.add(one.name)
                    continue
                cost = run(bench, one, f"{title}, round {number}")
                bench.keep(title, one.name, number, cost)
            if cost.status not in one.good:
                how = "was ended after its time limit" if cost.status is None else f"ended with {cost.status}"
                result.notes.append(f"{one.name}, round {number}: {how}; see {bench.scratch}/output.log")
                gone.add(one.name)
                continue
            result.runs[one.name].append(cost)
            bench.write()
    bench.write()


def run(bench: Bench, one: Contestant, where: str) -> Cost:
    """One run, said on the terminal before and after."""
    one.prepare()
    print(f"{where}: {one.name} …", end=" ", flush=True)
    cost = measured(
        one.command, cwd=one.folder, log=bench.scratch / "output.log", limit_s=LIMIT_S,
        environment={**ENVIRONMENT, **one.environment},
    )  # fmt: skip
    print(f"{cost.wall_s:.2f} s wall, {cost.cpu_s:.2f} s CPU, {cost.pss_mib:.0f} MiB, status {cost.status}", flush=True)
    return cost


def generation(bench: Bench, work: int, budget_s: float) -> None:
    make(bench.cache)
    entered = contestants(bench.cache, bench.scratch, work)
    what = "300 prompts × 64 tokens" if work == 1 else "early stops: 70 % end at 4 to 24 tokens, 30 % at 64 to 128"
    in_turn(bench, f"{work}. {what}, 8 M parameters", entered, GENERATION_BARS if work == 1 else (), budget_s)
    missing = [package for name, package in RIVALS.items() if not rival_python(bench.cache, name).exists()]
    if missing:
        bench.results[-1].notes.append(f"not installed here: {', '.join(missing)} (--install makes their environments)")


def replay(bench: Bench, budget_s: float) -> None:
    def forgetting(root: Path) -> Callable[[], None]:
        return lambda: [shutil.rmtree(root / name, ignore_errors=True) for name in (".evalkit", "reports")] and None

    entered = []
    for count in (MANY, FEW):
        plain = plain_tests(bench.scratch / f"plain-{count}", count)
        ours = replay_workspace(bench.scratch / f"replay-{count}", count)
        entered += [
            Contestant(f"plain {count:,}", (sys.executable, "-m", "pytest", *PYTEST, "-n", "0"), plain),
            Contestant(
                f"evalkit {count:,}",
                (sys.executable, "-m", "pytest", *EVALKIT, "-n", "0", "suites/large"),
                ours,
                prepare=forgetting(ours),
            ),
        ]
    in_turn(bench, "3. 15,000 probes on replay, -n 0", entered, REPLAY_BARS, budget_s)


def without_model(bench: Bench, budget_s: float) -> None:
    ours = replay_workspace(bench.scratch / "one", 1)
    evalkit = (sys.executable, "-m", "evalkit")
    commands = (
        (*evalkit, "--version"),
        (*evalkit, "list"),
        (sys.executable, "-m", "pytest", "--co", *EVALKIT, "suites/large"),
    )
    entered = [Contestant(name, words, ours) for name, words in zip(QUICK, commands, strict=True)]
    in_turn(bench, "7. commands that need no model", entered, QUICK_BARS, budget_s)


def script(bench: Bench, title: str, words: Sequence[str], budget_s: float) -> None:
    """A benchmark with a table of its own; what it prints is what is kept."""
    result = StepResult(title)
    bench.results.append(result)
    file = HERE / words[0]
    if not file.exists():
        result.notes.append(f"{words[0]} is not there")
    else:
        print(f"{title} …", flush=True)
        log = bench.scratch / f"{file.stem}.log"
        log.unlink(missing_ok=True)
        cost = measured(
            (sys.executable, str(file), *words[1:]), cwd=HERE.parent, log=log, limit_s=budget_s, environment=ENVIRONMENT
        )
        result.output = log.read_text(encoding="utf-8", errors="replace")
        if cost.status is None:
            result.notes.append(f"ended after {budget_s:.0f} s")
    bench.write()


STEPS: dict[int, Callable[[Bench, float], None]] = {
    1: lambda bench, seconds: generation(bench, 1, seconds),
    2: lambda bench, seconds: generation(bench, 2, seconds),
    3: replay,
    4: lambda bench, seconds: script(
        bench, "4. three adapters × 100 probes × a long kernel", ["prefix_reuse.py"], seconds
    ),
    5: lambda bench, seconds: script(bench, "5. on a CUDA device", ["cuda_engine.py"], seconds),
    6: lambda bench, seconds: script(
        bench, "6. the decode loop alone", ["decode_loop.py", "--pairs", "7", "--batches", "32", "64"], seconds
    ),
    7: without_model,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--only", type=int, nargs="+", choices=sorted(STEPS), default=sorted(STEPS), help="steps (all)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each step (3)")
    parser.add_argument("--budget", type=float, default=1.0, help="times the seconds of every step (1)")
    parser.add_argument("--resume", action="store_true", help="goes on where the last command on this code was")
    parser.add_argument("--install", action="store_true", help="makes the rivals' environments first")
    options = parser.parse_args()
    CACHE.mkdir(parents=True, exist_ok=True)
    if options.install:
        install_rivals(CACHE)
    kept, code = CACHE / "kept.jsonl", state_of_the_code()
    known = kept.read_text(encoding="utf-8").splitlines() if kept.exists() else []
    if not (options.resume and known and json.loads(known[0])["code"] == code):
        kept.write_text(json.dumps({"code": code}) + "\n", encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="evalkit-bench-") as name:
        head = facts(CACHE, ["make bench", *sys.argv[1:]], code)
        bench = Bench(CACHE, Path(name), options.rounds, kept, head, options.only)
        try:
            for number in options.only:
                STEPS[number](bench, SECONDS[number] * options.budget)
        finally:
            bench.write()
            if (log := bench.scratch / "output.log").exists():
                shutil.copy(log, CACHE / "output.log")
    print("benchmarks/RESULTS.md is written")


if __name__ == "__main__":
    try:
        main()
    except (KeyboardInterrupt, subprocess.CalledProcessError) as ended:
        raise SystemExit(f"ended early ({type(ended).__name__}); --resume goes on") from None
