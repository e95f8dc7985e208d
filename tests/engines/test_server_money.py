"""Keys, prices, and the limit on what a run may spend."""

from __future__ import annotations

from decimal import Decimal
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from evalkit.engines.servers.budget import Budget
from evalkit.engines.servers.estimate import estimate
from evalkit.engines.servers.pricing import Usage, cost_usd, dollars, most_usd
from evalkit.engines.servers.settings import max_age_s
from evalkit.generation import Failure, Generation
from evalkit.target import Engine, Price

if TYPE_CHECKING:
    from conftest import Asker

HAIKU = Price(
    Decimal("0.1"), Decimal("0.5"), Decimal("0.01"), Decimal("0.125"),
    long_above=100_000, long=Price(Decimal("0.5"), Decimal("2.5"), Decimal("0.05"), Decimal("0.625")),
)  # fmt: skip


@pytest.mark.parametrize(
    ("usage", "in_batch", "usd"),
    [
        (Usage(1_000_000, 0), False, "0.5"), (Usage(100_000, 1_000), False, "0.0105"),
        (Usage(0, 0, cache_read=90_000, cache_write=10_000), False, "0.00215"),
        (Usage(90_000, 10, cache_read=10_001), False, "0.04552505"), (Usage(1_000, 100), True, "0.000075"),
        (Usage(), False, "0"),
    ],
)  # fmt: skip
def test_what_tokens_cost(usage: Usage, in_batch: bool, usd: str) -> None:
    """Exact, the prompt cache at its own prices, long prompts at theirs, batches at half."""
    assert cost_usd(HAIKU, usage, in_batch=in_batch) == Decimal(usd)


def test_without_cache_prices_cached_tokens_cost_what_others_do() -> None:
    """What is not known to be cheaper is not."""
    assert cost_usd(Price(Decimal(2), Decimal(8)), Usage(10, 0, 20, 30)) == Decimal("0.00012")


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(0.0, "$0.00"), (5.0, "$5.00"), (0.111, "$0.11"), (0.0042, "$0.0042"), (0.0000171, "$0.000017")],
)
def test_how_dollars_are_shown(amount: float, shown: str) -> None:
    """Small amounts can still be seen."""
    assert dollars(amount) == shown


def test_the_prompt_cache_is_paid_at_its_own_price(asker: Asker) -> None:
    """Written once, read from then on; the cost equals the server's ledger."""
    rubric = "You judge answers by this long rubric of ten words."
    requests = [asker.request(f"Answer {number}", system=rubric) for number in range(3)]

    replies = [asker.ask(request)[0] for request in requests]

    if asker.kind == "anthropic":
        assert [reply.cached_tokens for reply in replies] == [0, 10, 10]
    assert sum(Decimal(repr(reply.cost_usd)) for reply in replies) == Decimal(repr(asker.server.billed_usd))


def test_the_limit_holds_and_what_is_finished_is_kept(asker: Asker, api: ModuleType) -> None:
    """The rest are refused with what to do; the bill stays under the limit."""
    asker.server.always = lambda received: api.ok("word " * 60)
    one = most_usd(asker.price, asker.request())
    asker.budget = Budget(float(one + Decimal("0.0012")))

    replies = asker.ask(*[asker.request(f"Number {number}") for number in range(20)], concurrency=4)

    answered = [reply for reply in replies if isinstance(reply, Generation)]
    refused = [reply for reply in replies if isinstance(reply, Failure)]
    assert len(answered) >= 3
    assert len(answered) == len(asker.server.posts)
    assert {reply.kind for reply in refused} == {"no_money"}
    assert asker.server.billed_usd <= float(asker.budget.limit_usd)
    assert refused[0].reason.startswith("Asking grader once more could cost $0.00")
    assert refused[0].reason.endswith(
        "that --eval-max-usd allows. Run the same command again with a higher one: what was answered is kept."
    )


def test_nothing_with_a_price_is_asked_for_nothing(asker: Asker) -> None:
    """``--eval-max-usd 0`` is a way to forbid spending."""
    asker.budget = Budget(0.0)

    (reply,) = asker.ask()

    most = dollars(most_usd(asker.price, asker.request()))
    assert reply == Failure(
        f"Asking grader once more could cost {most}, and $0.00 is left of the $0.00 that --eval-max-usd allows. "
        "Run the same command again with a higher one: what was answered is kept.",
        "no_money",
        0.0,
    )
    assert asker.server.received == []


def test_no_request_is_refused_while_others_may_cost_less(asker: Asker) -> None:
    """Reservations are as dear as can be; a request waits for those under way before it is refused."""
    one = most_usd(asker.price, asker.request("Number 10"))
    asker.budget = Budget(float(one * Decimal("1.5")))

    replies = asker.ask(*[asker.request(f"Number {number}") for number in range(10)], concurrency=8)

    assert all(isinstance(reply, Generation) for reply in replies)


def test_a_lost_bill_counts_against_the_limit_and_not_as_spent(asker: Asker, api: ModuleType) -> None:
    """Nobody knows it; it is bounded all the same."""
    asker.server.script(api.dropped())

    (reply,) = asker.ask()

    assert reply.cost_usd == asker.server.known_usd < asker.server.billed_usd
    assert dict(reply.facts)["bills_unknown"] == 1
    left = asker.budget.limit_usd - asker.budget.spent_usd - most_usd(asker.price, asker.request())
    assert asker.budget.left_usd == left


def test_a_price_that_is_not_known(asker: Asker) -> None:
    """Allowed: the cost is nobody's guess. A remote server's is said once, a local one costs nothing."""
    asker.price = None

    (reply,) = asker.ask()

    assert (reply.cost_usd, asker.budget.spent_usd) == (None, 0)
    engine = asker.engine()
    engine.load(asker.request().target, ())
    assert asker.budget.sentences() == []
    remote = asker.engine(base_url="https://api.example.com")
    for _ in range(2):
        remote.load(asker.request().target, ())
    assert asker.budget.sentences() == [
        "The price of judge-1 is unknown: its cost is not counted, and --eval-max-usd does not hold for it. "
        "Add it under prices: in fixtures/targets.yaml."
    ]


def test_an_alias_is_said(anthropic_asker: Asker) -> None:
    """What an alias stands for changes."""
    request = anthropic_asker.request()
    object.__setattr__(request.target.model, "location", "judge-latest")

    anthropic_asker.engine().load(request.target, ())

    assert anthropic_asker.budget.sentences() == [
        "judge-latest is an alias: what it stands for changes without notice. Declare the model grader by a dated id."
    ]


def test_the_estimate_before_a_stage(asker: Asker) -> None:
    """Tokens in, tokens out at most, dollars at most of those left."""
    requests = [asker.request("x" * 3_500) for _ in range(96)]

    coming, one = estimate(requests, asker.budget), estimate(requests[:1], asker.budget)

    assert coming is not None
    assert one is not None
    assert coming.most_usd == 0.12672
    assert coming.sentence == (
        "Asking grader 96 times: about 96k tokens in, up to 6144 out, up to about $0.13 of the $5.00 left."
    )
    assert one.sentence == (
        "Asking grader once: about 1000 tokens in, up to 64 out, up to about $0.0013 of the $5.00 left."
    )


def test_nothing_is_estimated_that_costs_nothing(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a price, or without the key that asking would need."""
    request = asker.request(engine={"base_url": "https://api.example.com"})
    asker.price = None
    assert estimate([asker.request()], asker.budget) is None

    monkeypatch.delenv("ANTHROPIC_API_KEY")
    monkeypatch.delenv("OPENAI_API_KEY")
    assert estimate([request], asker.budget) is None


def test_without_a_key(anthropic_asker: Asker, openai_asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A choice of the user's, with the sentence that says how to enable it."""
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    monkeypatch.setenv("OPENAI_API_KEY", " ")

    (anthropic,) = anthropic_asker.ask()
    (named,) = anthropic_asker.ask(api_key_env="JUDGE_KEY")
    (remote,) = openai_asker.ask(base_url="https://api.example.com/v1")

    assert anthropic == Failure(
        f"Engine 'srv' has no key for {anthropic_asker.base_url}. To enable it, set ANTHROPIC_API_KEY to an API key in "
        "the environment.",
        "no_key",
    )
    assert "set JUDGE_KEY to an API key" in named.reason
    assert (remote.kind, "set OPENAI_API_KEY" in remote.reason) == ("no_key", True)


def test_a_local_server_needs_no_key(openai_asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    """vLLM, llama.cpp and Ollama ask for none."""
    monkeypatch.delenv("OPENAI_API_KEY")

    (reply,) = openai_asker.ask()

    assert reply.text == "Fine."


def test_without_the_package(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also a choice of the user's: judges stay unscored."""
    module = f"evalkit.engines.servers.{'anthropic_api' if asker.kind == 'anthropic' else 'openai_compatible'}"
    monkeypatch.setattr(f"{module}.find_spec", lambda name: None)

    (reply,) = asker.ask()

    assert reply == Failure(
        f"Engine 'srv' needs the package '{asker.kind}'. Install it with: pip install 'pytest-evalkit[{asker.kind}]'",
        "no_key",
    )


def test_the_key_is_in_no_message(asker: Asker, api: ModuleType, capfd: pytest.CaptureFixture[str]) -> None:
    """Whoever repeats it: the server, or an error on the way."""
    asker.server.script(api.failing(401, f"invalid x-api-key: {api.KEY}"))

    (reply,) = asker.ask()

    assert "invalid x-api-key: [key]" in reply.reason
    written = capfd.readouterr()
    assert api.KEY not in f"{reply!r}{written.out}{written.err}"


def test_the_key_is_in_no_log(asker: Asker, api: ModuleType, capfd: pytest.CaptureFixture[str]) -> None:
    """Nor in the traceback of an error that nobody foresaw."""
    engine = asker.engine()

    def broken(*arguments: object) -> str:
        raise RuntimeError(f"header {api.KEY} cannot be")

    engine._api.send = broken  # type: ignore[method-assign]
    engine.submit("r0", asker.request())
    (reply,) = asker.all_replies(engine, 1)

    assert reply == Failure("RuntimeError: header [key] cannot be")
    written = capfd.readouterr().err
    assert "RuntimeError: header [key] cannot be" in written
    assert api.KEY not in written.replace('f"header {api.KEY}', "")


def test_how_old_a_stored_answer_may_be() -> None:
    """Seven days unless set; what is loaded here does not change unnoticed."""
    assert max_age_s(Engine("a", "anthropic")) == 7 * 86_400
    assert max_age_s(Engine("o", "openai", (("expires_days", 0.5),))) == 43_200
    assert max_age_s(Engine()) is None
