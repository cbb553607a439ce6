from __future__ import annotations

from functools import cache

import pytest

from gameday import prepare, traffic

_describe = cache(traffic.describe)


@pytest.fixture(autouse=True)
def described_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what scenarios say of themselves: they do not change, and each asking loads Locust anew."""
    monkeypatch.setattr(traffic, "describe", _describe)
    monkeypatch.setattr(prepare, "describe", _describe)
