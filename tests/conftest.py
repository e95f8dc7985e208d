"""Settings of every room's tests."""

from __future__ import annotations

from hypothesis import settings

# Two shared cores: an example that takes long says nothing about the code.
settings.register_profile("evalkit", deadline=None)
settings.load_profile("evalkit")
