"""Everything the doctor looks at, in the order in which it is told."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path

from evalkit.doctor.devices import cpu_findings, cuda_findings
from evalkit.doctor.environment import hub_cache, is_offline, key_findings, network_findings
from evalkit.doctor.finding import Finding
from evalkit.doctor.hosts import host_findings
from evalkit.doctor.models import cache_finding, model_findings
from evalkit.doctor.packages import installed, package_findings, plugin_findings
from evalkit.doctor.plans import Declared, declared, needs_of, suite_findings
from evalkit.doctor.room import disk_finding, memory_finding, runtime_findings
from evalkit.doctor.torch_probe import TorchProbe
from evalkit.doctor.workspace_state import digest_finding, store_findings, suite_cache_findings
from evalkit.workspace import Workspace


def examine(workspace: Workspace | None, suites: Iterable[Path], here: Path) -> list[Finding]:
    """Every finding; torch is asked first and heard last, because it takes longest.

    ``workspace`` None: there is none at ``here``.
    """
    with TorchProbe() if installed("torch") else nullcontext() as probe:
        return _examined(probe, workspace, suites, here)


def _examined(
    probe: TorchProbe | None, workspace: Workspace | None, suites: Iterable[Path], here: Path
) -> list[Finding]:
    plan = Declared(None, (), ()) if workspace is None else declared(workspace)
    needs = needs_of(plan.targets)
    cache = hub_cache()
    before = [*package_findings(needs.packages), *plugin_findings(), *cpu_findings()]
    after = [
        memory_finding(),
        disk_finding("disk", workspace.state if workspace else here, is_needed=workspace is not None),
        *runtime_findings(),
        *key_findings(dict(needs.keys)),
        *network_findings(),
        cache_finding(cache),
        disk_finding("hub disk", cache, is_needed=False),
        *model_findings(plan.targets, cache, is_offline=is_offline()),
        *_workspace(workspace, plan, suites, here),
        *host_findings(),
    ]
    probed = None if probe is None else probe.answer()
    cuda = cuda_findings(probed, torch_is_needed="torch" in needs.packages, cuda_is_needed=needs.cuda)
    return [*before, *cuda, *after]


def _workspace(workspace: Workspace | None, plan: Declared, suites: Iterable[Path], here: Path) -> Iterator[Finding]:
    if workspace is None:
        yield Finding("workspace", "absent", f"none in {here}", "Make one with: evalkit init")
        return
    yield Finding("workspace", "ok", str(workspace.root), facts=(("path", os.fspath(workspace.root)),))
    yield from plan.findings
    yield from suite_findings(workspace, suites, plan.table)
    yield from store_findings(workspace)
    yield digest_finding(workspace)
    yield from suite_cache_findings(workspace)
