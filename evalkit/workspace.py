"""Where the user's files are, and where evalkit's own copies of the same kind are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PROBE_SUFFIXES = (".yaml", ".yml")


def builtin_root() -> Path:
    """The folder that holds evalkit's own judges/, suites/ and fixtures/: inside the wheel, or the checkout."""
    package = Path(__file__).resolve().parent
    packed = package / "_builtin"
    return packed if packed.is_dir() else package.parent


@dataclass(frozen=True, slots=True)
class Workspace:
    """The parent of a ``suites`` folder; ``root`` is absolute."""

    root: Path

    @classmethod
    def of(cls, path: Path) -> Workspace | None:
        """The workspace whose ``suites`` folder is or holds ``path`` (the innermost one), or None."""
        absolute = path.absolute()
        for folder in (absolute, *absolute.parents):
            if folder.name == "suites":
                return cls(folder.parent)
        return None

    @property
    def suites(self) -> Path:
        return self.root / "suites"

    @property
    def state(self) -> Path:
        """Store, logs and caches; git-ignored."""
        return self.root / ".evalkit"

    @property
    def store_file(self) -> Path:
        return self.state / "store.sqlite3"

    @property
    def out(self) -> Path:
        return self.root / "reports" / "out"

    def shown(self, path: Path) -> str:
        """How messages and ids name a file: relative to the workspace with forward slashes where it is inside."""
        absolute = path.absolute()
        return absolute.relative_to(self.root).as_posix() if absolute.is_relative_to(self.root) else str(path)

    def locate(self, relative: str) -> Path | None:
        """The user's file of that name, else evalkit's own, else None."""
        for root in (self.root, builtin_root()):
            candidate = root / relative
            if candidate.exists():
                return candidate
        return None

    def suite_of(self, path: Path) -> Path:
        """The suite a probe file belongs to: its folder directly under suites/, or the file itself."""
        inside = path.absolute().relative_to(self.suites)
        return self.suites / inside.parts[0]

    def is_probe_file(self, path: Path) -> bool:
        """Whether ``path`` is collected: YAML under suites/, no suite.yaml, nothing in a folder named _x or .x."""
        absolute = path.absolute()
        if absolute.suffix not in PROBE_SUFFIXES or not absolute.is_relative_to(self.suites):
            return False
        inside = absolute.relative_to(self.suites)
        if inside.name in ("suite.yaml", "suite.yml") and len(inside.parts) > 1:
            return False
        return not any(part.startswith(("_", ".")) for part in inside.parts)

    def probe_files(self, suite: Path) -> list[Path]:
        """Every probe file of a suite in sorted order."""
        if suite.is_file():
            return [suite]
        found = (path for suffix in PROBE_SUFFIXES for path in suite.rglob(f"*{suffix}"))
        return sorted(path for path in found if self.is_probe_file(path))
