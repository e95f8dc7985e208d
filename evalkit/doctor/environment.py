"""Keys by name, and the settings of the environment that decide whether anything can be downloaded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from evalkit.doctor.finding import Finding
from evalkit.engines.servers.settings import KEY_VARIABLES

HUB_TOKEN = "HF_TOKEN"
OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
CERTIFICATES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def key_findings(needed: Mapping[str, str], environment: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Each key's name and whether it is set, never a character of it.

    ``needed`` are variables that the default targets cannot do without, each with the server it is for.
    """
    for name in dict.fromkeys((*KEY_VARIABLES.values(), HUB_TOKEN, *needed)):
        value = environment.get(name, "")
        facts = (("set", bool(value.strip())), ("needed", name in needed))
        if value.strip() and value != value.strip() and name == HUB_TOKEN:
            do = "Set it again without: the hub's client sends it as it is."
            yield Finding(name, "hurts", "set, with white space around it", do, facts)
        elif value.strip():
            yield Finding(name, "ok", "set", facts=facts)
        elif name in needed:
            do = f"Set {name} to an API key in the environment."
            yield Finding(name, "breaks", f"not set; targets at {needed[name]} cannot be asked", do, facts)
        else:
            yield Finding(name, "absent", "not set" + _token_file(name, environment), facts=facts)


def _token_file(name: str, environment: Mapping[str, str]) -> str:
    if name != HUB_TOKEN:
        return ""
    file = Path(environment.get("HF_TOKEN_PATH") or hub_home(environment) / "token")
    return f"; {file} holds one" if file.is_file() else ""


def is_offline(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the hub's client is told to stay off the network."""
    return any(environment.get(name, "").upper() in ("1", "ON", "YES", "TRUE") for name in OFFLINE)


def network_findings(environment: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Offline or not, proxies and another hub's address without what is secret in them, missing certificates."""
    told = [name for name in OFFLINE if is_offline({name: environment.get(name, "")})]
    said = [f"{name} is set, so models come from the hub's cache alone" for name in told]
    for name in (*PROXIES, "HF_ENDPOINT"):
        value = environment.get(name) or environment.get(name.lower())
        if value:
            said.append(f"{name} {value if name == 'NO_PROXY' else without_secrets(value)}")
    facts = (("offline", bool(told)), ("settings", tuple(said)))
    yield Finding("network", "ok", "; ".join(said) or "nothing is set: downloads go straight to the hub", facts=facts)
    for name in CERTIFICATES:
        value = environment.get(name, "")
        if value and not Path(value).exists():
            do = f"Unset {name}, or name the file."
            yield Finding("network", "hurts", f"{name} names {value}, which is not there: no server can be trusted", do)


def without_secrets(url: str) -> str:
    """Scheme, host and port; a user, a password, a path and a query are left out."""
    try:
        parts = urlsplit(url if "://" in url else f"//{url}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return "(set, and no address)"
    if not host:
        return "(set, and no address)"
    return (f"{parts.scheme}://" if parts.scheme else "") + host + (f":{port}" if port else "")


def hub_home(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the hub's client keeps its files, by its own rules (huggingface_hub 2.4, constants.py)."""
    cache = environment.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.path.expandvars(environment.get("HF_HOME") or f"{cache}/huggingface")).expanduser()


def hub_cache(environment: Mapping[str, str] = os.environ) -> Path:
    """Where downloaded models are, by the same rules."""
    given: Iterable[str | None] = (environment.get(name) for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"))
    chosen = next((place for place in given if place), str(hub_home(environment) / "hub"))
    return Path(os.path.expandvars(chosen)).expanduser()
