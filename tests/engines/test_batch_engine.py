"""The engine that asks in batches, as the host drives it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from evalkit.cli.batch_news import BatchScreen
from evalkit.engines.servers.batch_engine import BatchEngine, BatchNews
from evalkit.engines.servers.batches import by_identity, most_batch_usd
from evalkit.engines.servers.clock import Clock
from evalkit.generation import Failure, Generation, Request
from evalkit.store.batches import BatchStore
from evalkit.store.generations import GenerationStore

if TYPE_CHECKING:
    from conftest import Asker


class Desk:
    """A batch engine on a store of its own, and all it said."""

    def __init__(self, asker: Asker, file: Path) -> None:
        self.asker = asker
        self.file = file
        self.news: list[BatchNews] = []
        self.engine = self.open()

    def open(self, **settings: Any) -> BatchEngine:
        clock = Clock(lambda: self.asker.time.now_s, self.asker.time.sleep)
        store = BatchStore.open(self.file)
        return BatchEngine(
            self.asker.named(**settings), lambda count: False, self.asker.budget, store, self.news.append, clock
        )

    def ask(self, *requests: Request, are_stored: bool = True) -> list[Any]:
        """The replies in the order of the requests, stored as the host stores them."""
        asked = by_identity(requests)
        for identity, request in asked.items():
            self.engine.submit(identity, request)
        replies: dict[str, Any] = {}
        for _ in range(200):
            found = self.engine.step()
            if are_stored:
                store = GenerationStore.open(self.file)
                store.put([(identity, asked[identity], reply) for identity, reply in found], "run")
                store.close()
            replies |= dict(found)
            if len(replies) == len(asked):
                break
        return [replies[identity] for identity in asked]


@pytest.fixture
def desk(anthropic_asker: Asker, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(anthropic_asker, tmp_path / "store.sqlite3")
    yield made
    made.engine.close()


def test_the_money_is_exact(desk: Desk, api: ModuleType) -> None:
    """What was set aside is given back, and what was billed is spent."""
    desk.asker.server.script(api.ok("Yes."), api.failing(500, "down"), api.hanging())

    replies = desk.ask(*(desk.asker.request(f"Number {number}") for number in range(3)))

    assert [type(reply) for reply in replies] == [Generation, Failure, Failure]
    budget = desk.asker.budget
    assert budget.spent_usd == Decimal(repr(desk.asker.server.billed_usd)) > 0
    assert budget.left_usd == budget.limit_usd - budget.spent_usd
    assert budget.reserve(budget.left_usd) == "granted"


def test_results_that_nobody_stored_are_not_struck_out(desk: Desk) -> None:
    """A command that dies between fetching and storing finds them again, and pays nothing."""
    request = desk.asker.request()
    desk.ask(request, are_stored=False)
    desk.engine.close()
    desk.engine = desk.open()

    (reply,) = desk.ask(request)

    assert isinstance(reply, Generation)
    assert [item.phase for item in desk.news] == ["submitted", "ended", "resumed", "ended"]
    assert len(desk.asker.server.bills) == 1


@pytest.mark.parametrize(("days", "sent"), [(6.9, 1), (7.1, 2)])
def test_an_open_batch_is_used_as_long_as_a_stored_answer(desk: Desk, days: float, sent: int) -> None:
    """Older ones are asked again, as older answers are."""
    request = desk.asker.request()
    desk.ask(request, are_stored=False)
    desk.engine.close()
    desk.asker.time.now_s += days * 86_400
    desk.engine = desk.open()

    desk.ask(request)

    assert len(desk.asker.server.batches) == sent


def test_a_price_that_is_unknown(desk: Desk) -> None:
    """Said, asked all the same, and the limit does not hold."""
    desk.asker.price = None

    (reply,) = desk.ask(desk.asker.request())

    assert (type(reply), desk.news[0].most_usd) == (Generation, None)
    assert desk.asker.budget.sentences() == [
        "The price of judge-1 is unknown: its cost is not counted, and --eval-max-usd does not hold for it. Add it "
        "under prices: in fixtures/targets.yaml."
    ]


def test_what_cannot_be_asked_is_no_part_of_a_batch(desk: Desk) -> None:
    """It is a Failure that says why; the others are asked."""
    replies = desk.ask(desk.asker.request("Score this", kind="score", continuation="x"), desk.asker.request())

    assert replies[0] == Failure(
        "Engine 'srv' cannot score: only servers of kind openai give log-probabilities of a text, and they need "
        "api: completions and logprobs: true in fixtures/targets.yaml."
    )
    assert isinstance(replies[1], Generation)
    assert len(desk.asker.server.bills) == 1


def test_a_lost_reply_to_the_sending_counts_as_dear_as_can_be(desk: Desk) -> None:
    """Against the limit, not in the cost shown; the batch is asked for again, not looked for."""
    desk.asker.server.batches_are_delayed = True
    desk.engine.close()
    desk.engine = desk.open(timeout_s=0.1)
    request = desk.asker.request(engine={"timeout_s": 0.1})

    (reply,) = desk.ask(request)

    assert isinstance(reply, Failure)
    assert reply.reason.endswith("It may have been made all the same: see the provider's console.")
    budget = desk.asker.budget
    most = most_batch_usd(by_identity([request]))
    assert (budget.spent_usd, budget.left_usd) == (0, budget.limit_usd - (most or 0))
    store = BatchStore.open(desk.file)
    assert (store.open_batches(desk.asker.base_url, 0.0), store.unnamed(desk.asker.base_url)) == ((), ())
    store.close()


def test_what_another_command_is_just_sending_is_not_sent_twice(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a failure for now; ten minutes later that sending is over, and it is asked."""
    request = desk.asker.request()
    store = BatchStore.open(desk.file)
    with monkeypatch.context() as other:
        other.setattr(os, "getpid", os.getppid)
        store.begin(desk.asker.base_url, "judge-1", by_identity([request]), desk.asker.time.now_s)
    store.close()

    (reply,) = desk.ask(request)
    desk.asker.time.now_s += 601
    (later,) = desk.ask(request)

    assert reply == Failure(
        f"Process {os.getppid()} is sending this in a batch just now. Run the same command again when it has."
    )
    assert isinstance(later, Generation)
    assert len(desk.asker.server.batches) == 1


def test_a_batch_that_was_refused_never_was(desk: Desk) -> None:
    """A wrong key, say: nothing is kept of it, and no money set aside."""
    desk.asker.server.batches_are_refused = 401

    (reply,) = desk.ask(desk.asker.request())

    assert isinstance(reply, Failure)
    assert reply.reason == (
        f"Server 'srv' ({desk.asker.base_url}): the batch was not made: HTTP 401: no. Check the key in "
        "ANTHROPIC_API_KEY."
    )
    assert desk.asker.budget.left_usd == desk.asker.budget.limit_usd


def test_several_batches_are_named_when_the_command_is_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    """Those that have not ended."""
    screen = BatchScreen()
    for name in ("msgbatch_0", "msgbatch_1", "msgbatch_2"):
        screen.take(BatchNews("submitted", name, "grader", 0, 2, 60.0))
    screen.take(BatchNews("ended", "msgbatch_0", "grader", 2, 2, 0.0))

    screen.interrupted()

    assert capsys.readouterr().err.splitlines()[-1] == (
        "Batches msgbatch_1, msgbatch_2 go on without this command. Run it again to take up the results."
    )
