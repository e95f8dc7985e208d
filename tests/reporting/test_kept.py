"""What the store keeps of a run's report comes back, also to an older or newer evalkit."""

from __future__ import annotations

import json
from collections.abc import Callable

from evalkit.gates import Gate, GateResult
from evalkit.reporting.kept import kept_report, restored_facts, restored_results
from evalkit.reporting.summary import RunFacts

MakeRun = Callable[..., RunFacts]


def test_facts_and_gates_survive_the_store(make_run: MakeRun) -> None:
    """Tuples of tuples included, through JSON."""
    facts = make_run(provenance=(("torch", "2.13"), ("device", "cpu")), notes=("a \ud800 note",), usd=0.25)
    result = GateResult(Gate("loops", "it", "collapse_rate", at_most=0.1), "fail", 0.5, 3, "0.5", "t", 0.1, 0.9, 0.01)

    kept = json.loads(json.dumps(kept_report(facts, [result], ["it: breached"])))

    assert restored_facts(kept) == facts
    assert restored_results(kept) == (result,)
    assert kept["sentences"] == ["it: breached"]


def test_what_another_evalkit_kept_is_read_as_far_as_it_goes(make_run: MakeRun) -> None:
    """Keys of a newer one are left out, keys an older one did not have get their default; too little is nothing."""
    kept = json.loads(
        json.dumps(kept_report(make_run(), [GateResult(Gate("g", "s", "count"), "pass", 1.0, 1, "1")], []))
    )
    kept["facts"]["of_tomorrow"] = 1
    del kept["facts"]["evalkit"]
    kept["gates"][0]["gate"]["of_tomorrow"] = 1
    kept["gates"].append({"outcome": "pass"})

    assert restored_facts(kept) == make_run()
    assert [result.gate.name for result in restored_results(kept)] == ["g"]
    assert restored_facts({}) is None
    assert restored_facts({"facts": {"run_id": "x"}}) is None
    assert restored_results({}) == ()
