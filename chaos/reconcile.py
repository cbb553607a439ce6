"""What an earlier process left behind: found in the journal and by tag, stopped, proven gone, closed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from chaos import drilling, journal, probes
from chaos.errors import ChaosError, DriveError, FisError, GuardError
from chaos.facts import Context
from chaos.fis import ENTRY_TAG, Fis, Status
from chaos.journal import Entry, Journal
from chaos.local import LocalRegion
from chaos.prober import Prober
from chaos.proof import Patience, Proof, prove
from fixtures.environment import Environment
from fixtures.region import info
from fixtures.region.errors import InfoError


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """One thing that was undone; `verified` None where there was nothing to prove it against."""

    what: str
    id: str
    verified: bool | None
    detail: str

    def __str__(self) -> str:
        proven = {True: "proven gone", False: "NOT PROVEN GONE", None: "stopped"}[self.verified]
        return f"{self.what} {self.id}: {proven} ({self.detail})"


def abort(env: Environment, *, log: Journal | None = None, patience: Patience | None = None) -> list[Undone]:
    """Stop every experiment of this suite in `env`, prove every journalled fault gone, delete left templates.

    A local environment need not be running: a fault of a region that is gone is gone with it.

    Raises:
        DriveError: after everything was tried, something could not be stopped or proven gone; its journal
            entry stays open.
        FisError: FIS does not answer.
    """
    book, wait = log or journal.default(), patience or Patience.of(env)
    undone = [_see_to(entry, env, book, wait) for entry in _entries(env, book)]
    if env.aws.endpoint is None or env.aws.endpoint.startswith("http"):
        fis = Fis.of(env)
        undone += [_stopped(fis, status, wait) for status in fis.experiments() if not status.over]
        undone += _templates(fis)
    left = [item for item in undone if item.verified is False]
    if left:
        raise DriveError("; ".join(str(item) for item in left))
    return undone


def settle(env: Environment, book: Journal, patience: Patience) -> list[Undone]:
    """Before a start: see to what a process that is gone left open in the same place.

    Raises:
        GuardError: another living process has a fault open there, or an old one cannot be proven gone.
    """
    undone: list[Undone] = []
    for entry in _entries(env, book):
        if entry.facts.get("endpoint") != env.aws.endpoint:
            continue
        what = f"{entry.facts.get('experiment')} of run {entry.facts.get('run_id')}"
        if not entry.orphaned:
            raise GuardError(
                f"{what} has a fault open in {env.name} (process {entry.facts.get('pid')}); one at a time"
            )
        undone.append(_see_to(entry, env, book, patience))
        if not undone[-1].verified:
            raise GuardError(
                f"{what} left a fault that is not proven gone: {undone[-1].detail}; run gameday abort"
            )
    return undone


def _entries(env: Environment, book: Journal) -> Iterable[Entry]:
    return [entry for entry in book.open_entries() if entry.facts.get("environment") == env.name]


def _see_to(entry: Entry, env: Environment, book: Journal, patience: Patience) -> Undone:
    what = f"{entry.facts.get('experiment')} of run {entry.facts.get('run_id')}"
    try:
        proof = _proof(entry, env, patience)
    except ChaosError as error:
        proof = Proof(gone=False, detail=str(error))
    except KeyError as error:
        proof = Proof(
            gone=False, detail=f"its journal entry lacks {error}; look at it by hand, then close it"
        )
    if proof.gone:
        book.close(entry.id, proof.detail)
    return Undone(
        what=what,
        id=str(entry.facts.get("experiment_id", entry.id)),
        verified=proof.gone,
        detail=proof.detail,
    )


def _proof(entry: Entry, env: Environment, patience: Patience) -> Proof:
    facts = entry.facts
    if _region_is_gone(entry):
        return Proof(gone=True, detail="the local region it was in is gone, and its faults with it")
    path = Path(facts["region_file"]) if facts.get("region_file") else None
    there = replace(env, aws=replace(env.aws, endpoint=facts["endpoint"]), region_file=path)
    if facts.get("drill"):
        return _undrilled(facts, there, patience)
    fis = Fis.of(there)
    for status in list(fis.experiments()):
        if status.tags.get(ENTRY_TAG) == entry.id or status.id == facts.get("experiment_id"):
            _stopped(fis, status, patience)
    for template_id, tags in list(fis.templates()):
        if tags.get(ENTRY_TAG) == entry.id:
            fis.delete_template(template_id)
    region = LocalRegion(path=path) if path else None
    options = {key: value for key, value in facts["probe_options"].items() if key != "every_s"}
    prober = Prober(
        probe=probes.kind(facts["probe"]).make(options, there, region),
        every_s=facts["probe_options"]["every_s"],
        armed=facts["armed"],
    )
    context = Context(env=there, region=region, template=facts["template"], arns=tuple(facts["targets"]))
    with prober:
        prober.begin()
        # Whether an effect is still to come is not known, so one is waited for.
        return prove(prober, facts["actions"], context, patience, touched=facts["probe"] != "none")


def _undrilled(facts: Mapping[str, Any], env: Environment, patience: Patience) -> Proof:
    region = LocalRegion(path=env.region_file) if env.region_file else None
    options = {key: value for key, value in facts["probe_options"].items() if key != "every_s"}
    probe = probes.kind(facts["probe"]).make(options, env, region)
    context = Context(env=env, region=region, template={}, arns=tuple(facts["targets"]))
    drill = drilling.made(facts["drill"], env, patience)
    planned = facts["drill_facts"]
    return drilling.undone(drill, facts["drill"], planned, probe=probe, context=context, patience=patience)


def _region_is_gone(entry: Entry) -> bool:
    if entry.facts.get("kind") != "region" or not entry.facts.get("region_file"):
        return False
    try:
        found = info.read(Path(entry.facts["region_file"]))
    except InfoError:
        return True
    return found.started != entry.facts.get("region_started") or found.state not in ("ready", "stopping")


def _stopped(fis: Fis, status: Status, patience: Patience) -> Undone:
    if not status.over:
        fis.stop(status.id)
    deadline = time.monotonic() + patience.end_s
    now = fis.status(status.id)
    while not now.over:
        if time.monotonic() >= deadline:
            raise FisError(
                f"{status.id} is {now.state} {patience.end_s:g} s after it was stopped; look at it in FIS"
            )
        time.sleep(patience.poll_s)
        now = fis.status(status.id)
    what = f"experiment {status.tags.get('gameday-experiment', '')}".strip()
    return Undone(what=what, id=status.id, verified=None, detail=now.state)


def _templates(fis: Fis) -> list[Undone]:
    left = list(fis.templates())
    for template_id, _ in left:
        fis.delete_template(template_id)
    return [
        Undone(what="template", id=template_id, verified=None, detail="deleted") for template_id, _ in left
    ]
