"""Defects with twins note what they do, so that a twin that passes is known to have been there."""

import asyncio
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fixtures.region.apps.lexohub import cache, database
from fixtures.region.apps.lexohub.asgi import Answer, Application, Request, answer
from fixtures.region.apps.lexohub.defects import rare_errors
from fixtures.region.defects import catalogue, effects, planting, replacing

FOLDER = catalogue.folder_of("lexohub")
KNOWN = catalogue.of(FOLDER)
TWINS = sorted(name for name, one in KNOWN.items() if one.twin is not None)
COMMON = "/api/matters"
CALLS = 4000


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where effects are noted; what is planted is undone after the test, and no time passes for sleeping."""
    monkeypatch.setattr(replacing, "setattr", monkeypatch.setattr, raising=False)
    monkeypatch.setenv(replacing.SINCE, str(time.monotonic() - 59))
    monkeypatch.setenv(effects.VARIABLE, str(tmp_path / "noted.jsonl"))
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    turn = asyncio.sleep

    async def sleep(_seconds: float) -> None:
        await turn(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return tmp_path / "noted.jsonl"


def _counted(path: Path) -> Counter[str]:
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
    assert all(abs(line["t"] - time.time()) < 60 for line in lines)
    return Counter(line["defect"] for line in lines)


def _use(monkeypatch: pytest.MonkeyPatch, text: str = "") -> None:
    """Plant, then do everything that a task does: live, answer, fill the cache, ask the database."""

    async def kept(_self: Any, *_arguments: Any) -> None:
        return None

    async def connected(*_arguments: Any, **_named: Any) -> object:
        return object()

    monkeypatch.setattr(cache.Cache, "fill", kept)
    monkeypatch.setattr(database.Database, "_acquire", kept)
    if text:
        name = text.partition(":")[0].removesuffix("/twin")
        given = {planting.VARIABLE: text, planting.FOLDER: str(FOLDER)}
        monkeypatch.setattr("asyncpg.connect", connected)
        planting.plant(KNOWN[name].into[0], given)
    asyncio.run(_live())


async def _live() -> None:
    app = Application()

    async def well(_request: Request) -> Answer:
        return answer({})

    for path in (COMMON, rare_errors.RARE):
        app.route("GET", path, well)
    kinds = iter(("lifespan.startup", "lifespan.shutdown"))

    async def receive() -> dict[str, Any]:
        for _ in range(50):
            await asyncio.sleep(0)
        return {"type": next(kinds)}

    async def none() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(_message: Any) -> None:
        """Nobody listens."""

    await app({"type": "lifespan"}, receive, send)
    for path, times in ((COMMON, CALLS), ("/api/invoices/inv-1/pdf", CALLS // 10)):
        scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
        for _ in range(times):
            await app(scope, none, send)
    held, link = cache.Cache(None), database.Database.__new__(database.Database)  # type: ignore[arg-type]
    link._dsn = ""
    for key in (cache.counts_key("adv-1"), cache.matter_key("m-1")):
        await held.fill(key, b"", cache.COUNTS_S)
    for _ in range(1000):
        await link._acquire()


@pytest.mark.parametrize("name", TWINS)
def test_every_twin_notes_that_it_acted(noted: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Under its own name; also where its code is shared with another defect."""
    _use(monkeypatch, f"{name}/twin")
    found = _counted(noted)
    assert found.keys() == {name}


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("slow-tail/twin", 22),
        ("slow-median/twin", 2640),
        ("errors/twin", 1),
        ("rare-errors/twin", 2),
        ("old-counts/twin", 1),
        ("old-counts:seconds=30", 0),
        ("connection-leak/twin", 25),  # six are opened, and felt from then on
        ("connection-leak:most=0", 0),
        ("freeze/twin", 1),
        ("freeze:after=50", 0),
        ("slow-tail:share=0", 0),
        ("errors:share=0", 0),
        ("errors/twin:after=1000000", 0),
        ("pause:after=1000000", 0),
    ],
)
def test_only_what_was_done_is_noted(
    noted: Path, monkeypatch: pytest.MonkeyPatch, text: str, times: int
) -> None:
    """As often as it was done; nothing where there is nothing to do, or the moment is to come."""
    _use(monkeypatch, text)
    assert _counted(noted).total() == times


def test_a_healthy_region_notes_nothing(noted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing planted, nothing done."""
    _use(monkeypatch)
    assert not noted.exists()


def test_nobody_is_told_who_did_not_ask(noted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variable no file is made, and the defect does what it does."""
    monkeypatch.delenv(effects.VARIABLE)
    _use(monkeypatch, "errors/twin")
    assert not noted.exists()
