"""Batches at half the price: made once, found again by id, one reply for every request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from evalkit.engines.servers import batches
from evalkit.engines.servers.batches import Batches, BatchProgress, by_identity, most_batch_usd, portions
from evalkit.engines.servers.clock import Clock
from evalkit.engines.servers.settings import ServerSettings
from evalkit.errors import EngineError
from evalkit.generation import Failure, Generation
from evalkit.identity import request_identity

if TYPE_CHECKING:
    from conftest import Asker

Open = Callable[..., Batches]


@pytest.fixture
def opened(anthropic_asker: Asker) -> Iterator[Open]:
    """Opens the batches of the scripted server; waits cost no time."""
    made = []

    def open_batches(**settings: object) -> Batches:
        clock = Clock(lambda: anthropic_asker.time.now_s, anthropic_asker.time.sleep)
        made.append(Batches(ServerSettings.of(anthropic_asker.named(**settings)), clock))
        return made[-1]

    yield open_batches
    for one in made:
        one.close()


def test_a_batch_from_its_making_to_its_results(anthropic_asker: Asker, api: ModuleType, opened: Open) -> None:
    """Results come back in any order and by id; the cost is half and equals the server's ledger."""
    server = anthropic_asker.server
    for number in range(3):
        server.when(f"Number {number}", api.ok(f"Answer {number}."))
    server.polls_until_ended = 2
    asked = by_identity(anthropic_asker.request(f"Number {number}", system="A rubric.") for number in range(3))
    model = anthropic_asker.request().target.model

    batch = opened().submit(asked, 5.0)
    later = opened()
    progress = [later.poll(batch, model) for _ in range(2)]
    replies = later.results(batch, asked)

    assert progress == [BatchProgress(False, 3, 0), BatchProgress(True, 0, 3)]
    assert list(replies) == list(asked)
    generations = [reply for reply in replies.values() if isinstance(reply, Generation)]
    assert [reply.text for reply in generations] == [f"Answer {number}." for number in range(3)]
    assert sum(Decimal(repr(reply.cost_usd)) for reply in generations) == Decimal(repr(server.billed_usd))
    assert dict(generations[0].facts)["batch"] == batch
    assert len([one for one in server.posts if one.path == "/v1/messages/batches"]) == 1


def test_a_request_has_the_identity_the_store_knows(anthropic_asker: Asker) -> None:
    """What a batch answered is found by the next run, and equal requests are asked once."""
    request = anthropic_asker.request()
    facts = anthropic_asker.engine().identity_facts(request.target)

    asked = by_identity([request, anthropic_asker.request()])

    assert list(asked) == [request_identity(request, facts)]
    assert len(next(iter(asked))) <= 64


def test_what_has_no_answer_is_a_failure_each(anthropic_asker: Asker, api: ModuleType, opened: Open) -> None:
    """Errored, expired, missing, unreadable: none is lost, none made up, and the key is in no message."""
    server = anthropic_asker.server
    server.script(
        api.failing(400, f"no such thing, {api.KEY}"), api.hanging(), api.ok("Gone."), api.ok("Odd."), api.ok("Good.")
    )
    asked = by_identity(anthropic_asker.request(f"Number {number}") for number in range(5))
    names = list(asked)

    made = opened()
    batch = made.submit(asked, 5.0)
    made.poll(batch, anthropic_asker.request().target.model)
    results = {line["custom_id"]: line for line in server.batches[batch]["results"]}
    results[names[3]]["result"]["message"]["content"] = "no list"
    server.batches[batch]["results"] = [results[name] for name in names if name != names[2]]
    replies = list(made.results(batch, asked).values())

    assert replies[:4] == [
        Failure(f"Batch {batch}: the server could not answer: no such thing, [key]."),
        Failure(f"Batch {batch}: it ended before this was asked. Judge it again to ask it."),
        Failure(f"Batch {batch} has no result for this request. Judge it again: only such requests are asked."),
        Failure(
            f"Batch {batch}: a reply that cannot be read (it has no content or no stop_reason).",
            cost_usd=float(server.bills[1].usd),
        ),
    ]
    assert isinstance(replies[4], Generation)


def test_a_dear_batch_is_not_made(anthropic_asker: Asker, opened: Open) -> None:
    """Its highest possible cost must be allowed before it is sent."""
    asked = by_identity(anthropic_asker.request(f"Number {number}") for number in range(3))
    most = most_batch_usd(asked)
    assert most is not None

    with pytest.raises(EngineError) as raised:
        opened().submit(asked, 0.001)

    assert str(raised.value) == (
        f"A batch of 3 requests could cost ${most:.2g}, more than the $0.001 that is left. Allow more with "
        "--max-usd, or judge fewer."
    )
    assert anthropic_asker.server.received == []


def test_a_lost_reply_to_making_a_batch_is_not_repeated(anthropic_asker: Asker, opened: Open) -> None:
    """It may have been made: making it twice would be paid twice."""
    asked = by_identity([anthropic_asker.request()])
    made = opened(timeout_s=0.1)
    anthropic_asker.server.batches_are_delayed = True

    with pytest.raises(EngineError) as raised:
        made.submit(asked, 5.0)

    assert str(raised.value) == (
        f"Server 'srv' ({anthropic_asker.base_url}): the batch was not made: no reply within 0.1 s. "
        "It may have been made all the same: see the provider's console."
    )


def test_an_unknown_batch(anthropic_asker: Asker, opened: Open) -> None:
    """The server's words and where to look."""
    with pytest.raises(EngineError) as raised:
        opened().poll("msgbatch_9", anthropic_asker.request().target.model)

    assert str(raised.value) == (
        f"Server 'srv' ({anthropic_asker.base_url}): no news of it: HTTP 404: no such batch. It may be of another "
        "account, or over a month old."
    )


def test_other_engines_have_no_batches(openai_asker: Asker) -> None:
    """Only the Messages API has this one."""
    with pytest.raises(EngineError) as raised:
        by_identity([openai_asker.request()])

    assert str(raised.value) == (
        "The model grader cannot be asked in a batch: engine 'srv' is of kind openai, and batches need kind anthropic."
    )


def test_without_a_key(anthropic_asker: Asker, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same sentence as everywhere."""
    monkeypatch.delenv("ANTHROPIC_API_KEY")

    with pytest.raises(EngineError) as raised:
        opened()

    assert str(raised.value) == ServerSettings.of(anthropic_asker.named()).no_key


def test_many_requests_are_several_batches(anthropic_asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more requests or bytes than a batch may hold, none twice, in order."""
    asked = by_identity(anthropic_asker.request(f"Number {number}") for number in range(7))

    monkeypatch.setattr(batches, "MOST_REQUESTS", 3)
    by_count = portions(asked)
    monkeypatch.setattr(batches, "MOST_BYTES", 1)
    by_size = portions(asked)

    assert [len(part) for part in by_count] == [3, 3, 1]
    assert [name for part in by_count for name in part] == list(asked)
    assert [len(part) for part in by_size] == [1] * 7


def test_a_batch_is_cancelled(anthropic_asker: Asker, opened: Open) -> None:
    """What is asked of the server."""
    made = opened()
    batch = made.submit(by_identity([anthropic_asker.request()]), 5.0)

    made.cancel(batch, anthropic_asker.request().target.model)

    assert anthropic_asker.server.received[-1].path == f"/v1/messages/batches/{batch}/cancel"


def test_results_that_break_off_are_fetched_again(anthropic_asker: Asker, opened: Open) -> None:
    """Half of them are not taken for all of them."""
    asked = by_identity(anthropic_asker.request(f"Number {number}") for number in range(20))
    made = opened()
    batch = made.submit(asked, 5.0)
    made.poll(batch, anthropic_asker.request().target.model)
    anthropic_asker.server.results_break = 2

    replies = made.results(batch, asked)

    assert [reply.text for reply in replies.values() if isinstance(reply, Generation)] == ["Fine."] * 20
    assert len(anthropic_asker.time.slept) == 2
