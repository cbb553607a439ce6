"""What is here: the directories are the lists, the files' stems are the names."""

from __future__ import annotations

from fixtures.environment import names as environment_names
from gameday.plan import EXPERIMENTS
from gameday.plan import names as plan_names
from gameday.process import ROOT


def systems() -> list[str]:
    """Systems with documented targets."""
    return sorted(path.stem for path in (ROOT / "slo" / "targets").glob("*.toml"))


def scenarios() -> list[str]:
    """Systems that have traffic."""
    return [name for name in systems() if (ROOT / "scenarios" / f"{name}.py").is_file()]


def experiments(system: str) -> list[str]:
    """Experiments of one system."""
    return sorted(path.stem for path in (EXPERIMENTS / system).glob("*.json"))


def everything() -> dict[str, list[str]]:
    """Names by kind, in the order a newcomer asks for them."""
    return {
        "systems": systems(),
        "scenarios": scenarios(),
        "plans": plan_names(),
        "experiments": [f"{system}/{name}" for system in systems() for name in experiments(system)],
        "environments": environment_names(),
    }
