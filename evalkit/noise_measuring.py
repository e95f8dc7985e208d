"""Measuring a run's noise floor at its end, while the host still has the weights."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from evalkit.errors import EvalkitError
from evalkit.host.address import Address
from evalkit.host.messages import Run
from evalkit.ledger import Ledger
from evalkit.options import options_of
from evalkit.remeasuring import BATCH_ROWS, remeasure
from evalkit.session import Session


def measure_noise(
    config: pytest.Config, ledger: Ledger, probes: int, address: Callable[[], Address], draw: Callable[[], None]
) -> None:
    """Asks up to ``probes`` of the run's probes again and puts what came of it into the ledger."""
    run = Run(
        f"{ledger.run_id}~noise", str(ledger.workspace.root), fresh=True, max_usd=ledger.max_usd, batch_rows=BATCH_ROWS
    )
    options = options_of(config)
    session = Session(ledger.workspace, options, run, address, while_waiting=draw)
    try:
        ledger.noise = remeasure(session, tuple(ledger.records.values()), probes, options.seed)
    except EvalkitError as error:
        ledger.note(f"The noise floor was not measured. {error}")
    finally:
        session.close()
