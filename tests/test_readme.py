"""What the README says of prices is what the files say."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]


def test_the_table_of_prices() -> None:
    """Each row has the id and the prices of fixtures/servers.yaml, and every built-in model has a row."""
    servers = yaml.safe_load((ROOT / "fixtures" / "servers.yaml").read_text(encoding="utf-8"))
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(claude-\S+)` \| (\S+) \| (\S+) \| (\S+) \| (\S+) \| (\S+) \|$", text, re.MULTILINE)

    shown = {name: (model, [float(price) for price in prices]) for name, model, *prices in rows}

    wanted = {}
    for name, model in servers["models"].items():
        price = servers["prices"][model["id"]]
        wanted[name] = (model["id"], [price[kind] for kind in ("input", "output", "cache_read", "cache_write")])
    assert shown == wanted
