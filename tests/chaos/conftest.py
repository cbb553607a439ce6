from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures import aws
from fixtures.environment import Environment
from tests.chaos import stage as staging
from tests.chaos.stage import Ground, Stage

_clients: dict[tuple[str | None, str, str], Any] = {}


@pytest.fixture(autouse=True)
def clients_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep AWS clients: building one takes longer than most of these tests."""
    build = aws.client

    def client(env: Environment, service: str, *, hasty: bool = False) -> Any:
        key = (env.aws.endpoint, env.aws.region, f"{service} {hasty}")
        if key not in _clients:
            _clients[key] = build(env, service, hasty=hasty)
        return _clients[key]

    monkeypatch.setattr(aws, "client", client)


@pytest.fixture(scope="session")
def moto() -> Iterator[int]:
    """The port of an AWS inventory with the stage's clusters and alarm in it."""
    port = staging.free_port()
    with staging.process("-m", "fixtures.region.cloud", str(port), port=port):
        staging.furnish(staging.local(port))
        yield port


@pytest.fixture(scope="session")
def ground(moto: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """Moto and FIS behind one endpoint."""
    with staging.ground(moto, tmp_path_factory.mktemp("region")) as found:
        yield found


@pytest.fixture
def env(moto: int) -> Environment:
    """The local environment over moto alone."""
    return staging.local(moto)


@pytest.fixture
def stage(ground: Ground, tmp_path: Path) -> Iterator[Stage]:
    """Everything, with the stop alarm OK."""
    with staging.stage(ground, tmp_path) as found:
        found.set_alarm("OK")
        yield found
