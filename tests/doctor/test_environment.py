"""What the doctor says of keys and of the network's settings, and what it keeps to itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalkit.doctor.environment import hub_cache, is_offline, key_findings, network_findings, without_secrets
from evalkit.doctor.finding import Finding


def test_keys_are_named_and_never_shown(tmp_path: Path) -> None:
    """Set or not; a blank one is not set."""
    environment = {"ANTHROPIC_API_KEY": "sk-secret", "OPENAI_API_KEY": " \n", "HF_HOME": str(tmp_path)}

    told = list(key_findings({}, environment))

    assert told == [
        Finding("ANTHROPIC_API_KEY", "ok", "set", facts=(("set", True), ("needed", False))),
        Finding("OPENAI_API_KEY", "absent", "not set", facts=(("set", False), ("needed", False))),
        Finding("HF_TOKEN", "absent", "not set", facts=(("set", False), ("needed", False))),
    ]
    assert "secret" not in repr(told)


def test_a_key_that_targets_need() -> None:
    """Of any name that an engine gives it."""
    told = list(key_findings({"HOUSE_KEY": "https://models.house/v1"}, {}))

    assert told[-1] == Finding(
        "HOUSE_KEY", "breaks", "not set; targets at https://models.house/v1 cannot be asked",
        "Set HOUSE_KEY to an API key in the environment.", (("set", False), ("needed", True)),
    )  # fmt: skip


def test_a_token_of_the_hub(tmp_path: Path) -> None:
    """In a file, or with white space that the hub would refuse."""
    (tmp_path / "token").write_text("hf_secret")

    from_file = list(key_findings({}, {"HF_HOME": str(tmp_path)}))[-1]
    ragged = list(key_findings({}, {"HF_TOKEN": "hf_secret\n"}))[-1]

    assert (from_file.level, from_file.says) == ("absent", f"not set; {tmp_path}/token holds one")
    assert (ragged.level, ragged.says) == ("hurts", "set, with white space around it")
    assert ragged.do == "Set it again without: the hub's client sends it as it is."
    assert "secret" not in repr((from_file, ragged))


def test_nothing_set() -> None:
    """The usual case."""
    assert [finding.says for finding in network_findings({})] == [
        "nothing is set: downloads go straight to the hub",
    ]


def test_offline_proxies_and_mirrors() -> None:
    """Either case of a variable's name; users and passwords are left out."""
    environment = {
        "HF_HUB_OFFLINE": "1", "HTTPS_PROXY": "http://me:secret@proxy.house:3128", "no_proxy": "localhost,.house",
        "HF_ENDPOINT": "https://mirror.house/secret?token=secret",
    }  # fmt: skip

    [told] = network_findings(environment)

    assert told.says == (
        "HF_HUB_OFFLINE is set, so models come from the hub's cache alone; HTTPS_PROXY http://proxy.house:3128; "
        "NO_PROXY localhost,.house; HF_ENDPOINT https://mirror.house"
    )
    assert dict(told.facts)["offline"] is True


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://u:p@h:80/x?y", "http://h:80"),
        ("u:p@h:80", "h:80"),
        ("socks5://h", "socks5://h"),
        ("http://h:port", "(set, and no address)"),
        ("http://[::1", "(set, and no address)"),
        ("http://", "(set, and no address)"),
    ],
)
def test_addresses_without_secrets(url: str, shown: str) -> None:
    """Scheme, host and port."""
    assert without_secrets(url) == shown


def test_certificates_that_are_not_there(tmp_path: Path) -> None:
    """No server could be trusted."""
    told = list(network_findings({"SSL_CERT_FILE": "/no/ca.pem", "REQUESTS_CA_BUNDLE": str(tmp_path)}))

    assert told[1:] == [
        Finding(
            "network", "hurts", "SSL_CERT_FILE names /no/ca.pem, which is not there: no server can be trusted",
            "Unset SSL_CERT_FILE, or name the file.",
        )
    ]  # fmt: skip


@pytest.mark.parametrize(("value", "told"), [("1", True), ("true", True), ("Yes", True), ("0", False), ("", False)])
def test_offline_or_not(value: str, told: bool) -> None:
    """By the hub client's own words."""
    assert is_offline({"TRANSFORMERS_OFFLINE": value}) is told


def test_where_the_cache_is() -> None:
    """The nearest variable wins."""
    every = {"HF_HUB_CACHE": "/a", "HUGGINGFACE_HUB_CACHE": "/b", "HF_HOME": "/c", "XDG_CACHE_HOME": "/d"}
    found = []
    while True:
        found.append(str(hub_cache(every)))
        if not every:
            break
        every.pop(next(iter(every)))

    assert found == ["/a", "/b", "/c/hub", "/d/huggingface/hub", str(Path.home() / ".cache/huggingface/hub")]
