from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
LONGEST_FIRST = (
    "scenarios/distributed/test_distributed.py",
    "fixtures/region/test_region_processes.py",
    "scenarios/test_drive.py",
    "gameday/test_gate.py",
    "scenarios/test_models.py",
    "gameday/test_load_run.py",
    "fixtures/region/apps/test_lexohub_app.py",
    "chaos/test_driver.py",
    "scenarios/face/test_locust_face.py",
    "fixtures/region/fis/test_fis_experiments.py",
    "chaos/test_drills.py",
    "fixtures/region/fis/test_fis_conformance.py",
    "fixtures/region/fis/test_fis_leases.py",
    "fixtures/region/fis/test_fis_targets.py",
    "fixtures/region/fis/test_fis_functions.py",
    "fixtures/region/fis/test_fis_logs.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order files by what they take: one that starts last and takes long keeps everybody waiting."""
    places = {HERE / name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))
