"""Reading sets of writes back until they are settled: lines for ledger.jsonl.

Knows no clock, no network and no gevent: they are arguments.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scenarios.errors import CallError
from scenarios.load.operation import LedgerSet

UNDRAINED = "the queue still not empty"
Page = Mapping[str, Any]
Line = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Bounds of a read-back, seconds: in all, without any change, between two looks, for one failing page."""

    settle_s: float = 45.0
    unchanged_s: float = 15.0
    every_s: float = 1.0
    retry_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a set held when it was looked at: items by id, and whether its queue was empty (None: unsaid)."""

    items: Mapping[str, Page]
    drained: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBack:
    """Reads the sets back through ``fetch(set, after) -> page``.

    A page is ``{items, next}``, an item ``{id, count}``, perhaps with state, requested_at, done_at (epoch
    seconds) and ``dead``, its copies in the dead-letter queue; for overwritten keys ``{id, version, last}``.
    The last page may say ``drained``: whether the set's queue is empty; while it is not, what is missing may
    still come, however long nothing has changed. ``fetch`` raises CallError while the system
    cannot answer; it is asked again within ``patience.retry_s``.
    """

    fetch: Callable[[str, str | None], Page]
    patience: Patience = Patience()
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def run(self, kind: LedgerSet, accepted: set[str]) -> list[Line]:
        """One line per id read, count 0 for accepted jobs not found, one per key, and the last word."""
        look, reason = self._settled(kind, accepted)
        keys: list[Line] = []
        if kind.keys and not reason:
            keys, reason = self._keys(kind)
        lines = [_read_line(kind.name, item) for item in look.items.values()]
        if kind.finishes and not reason:
            missing = sorted(accepted - look.items.keys())
            lines += [{"kind": "read", "set": kind.name, "id": key, "count": 0} for key in missing]
        done: Line = {"kind": "readback", "set": kind.name, "complete": not reason, "once": kind.once}
        done |= {"read": sum(map(_is_there, look.items.values())), "t": self.now(), "reason": reason}
        if look.drained is not None:
            done["drained"] = look.drained
        if kind.keys:
            done["keys"] = len(keys)
        return [*lines, *keys, done]

    def _settled(self, kind: LedgerSet, accepted: set[str]) -> tuple[Look, str]:
        begun = changed = self.now()
        seen = Look(items={})
        while True:
            try:
                look = self._look(kind.name)
            except (CallError, LookupError, TypeError) as error:
                return seen, f"reading back {kind.name} failed: {error}"
            if look != seen:
                seen, changed = look, self.now()
            waiting = _waiting(kind, accepted, look)
            may_come = look.drained is False and waiting != UNDRAINED
            unchanged = self.now() - changed >= self.patience.unchanged_s
            if not waiting or (unchanged and not may_come):
                return look, ""
            if self.now() - begun >= self.patience.settle_s:
                return look, f"{waiting} after {self.patience.settle_s:g} s"
            self.sleep(self.patience.every_s)

    def _look(self, name: str) -> Look:
        """Every item of the set by id; an id listed twice was written twice, so its counts add up."""
        items: dict[str, Page] = {}
        drained: bool | None = None
        for page in self._pages(name):
            for item in map(_checked, page["items"]):
                earlier = items.get(item["id"], {})
                summed = {
                    name: item[name] + earlier.get(name, 0) for name in ("count", "dead") if name in item
                }
                items[item["id"]] = {**earlier, **item, **summed}
            drained = page.get("drained")
            if not isinstance(drained, bool | None):
                raise TypeError(f"drained is {drained!r}; expected true or false")
        return Look(items=items, drained=drained)

    def _keys(self, kind: LedgerSet) -> tuple[list[Line], str]:
        """Lines about the overwritten keys, or why they could not be read."""
        found: dict[str, Line] = {}
        try:
            for page in self._pages(kind.keys):
                found |= {item["id"]: _key_line(kind.name, item) for item in page["items"]}
        except (CallError, LookupError, TypeError) as error:
            return [], f"reading back {kind.keys} failed: {error}"
        return list(found.values()), ""

    def _pages(self, name: str) -> Iterator[Page]:
        after: str | None = None
        while True:
            page = self._page(name, after)
            yield page
            previous, after = after, page["next"]
            if after is None:
                return
            if after == previous:
                raise LookupError(f"the audit of {name} does not move past {after!r}")

    def _page(self, name: str, after: str | None) -> Page:
        begun = self.now()
        while True:
            try:
                return self.fetch(name, after)
            except CallError:
                if self.now() - begun >= self.patience.retry_s:
                    raise
            self.sleep(self.patience.every_s)


def unread(sets: Sequence[LedgerSet], *, reason: str, now: float) -> list[Line]:
    """Lines that say no set was read back, and why."""
    return [
        {
            "kind": "readback",
            "set": each.name,
            "complete": False,
            "once": each.once,
            "read": 0,
            "t": now,
            "reason": reason,
        }
        for each in sets
    ]


def _waiting(kind: LedgerSet, accepted: set[str], look: Look) -> str:
    """What the read-back still waits for; empty when the set is settled."""
    if kind.finishes:
        unfinished = sum(not _finished(kind, look.items.get(key)) for key in accepted)
        if unfinished:
            return f"{unfinished} accepted still unfinished"
    if kind.eventual and not accepted <= look.items.keys():
        return f"{len(accepted - look.items.keys())} accepted still not to be seen"
    return UNDRAINED if look.drained is False else ""


def _is_there(item: Page) -> bool:
    return item["count"] > 0 or item.get("dead", 0) > 0 or bool(item.get("state"))


def _finished(kind: LedgerSet, item: Page | None) -> bool:
    return item is not None and (item["count"] > 0 or item.get("state") in kind.ended)


def _checked(item: Page) -> Page:
    """The item, if a ledger can hold it: what it cannot hold must not spoil the rest of the run."""
    texts = [item["id"], item.get("state", "-")]
    counts = [item["count"], item.get("dead", 0)]
    times = [item[name] for name in ("requested_at", "done_at") if item.get(name) is not None]
    right = all(isinstance(text, str) and text for text in texts) and all(map(_is_whole, counts))
    if not right or not all(isinstance(t, int | float) and not isinstance(t, bool) for t in times):
        raise TypeError(f"an item is {str(item)[:200]}; expected a text as id and a whole number as count")
    return item


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _read_line(name: str, item: Page) -> Line:
    line = {"kind": "read", "set": name, "id": item["id"], "count": item["count"]}
    more = ("dead", "state", "requested_at", "done_at")
    return line | {key: item[key] for key in more if item.get(key) is not None}


def _key_line(name: str, item: Page) -> Line:
    known = {key: item[key] for key in ("version", "last") if item.get(key) is not None}
    right = isinstance(item["id"], str) and _is_whole(known.get("version", 0))
    if not known or not right or not isinstance(known.get("last", ""), str):
        raise TypeError(f"a key is {str(item)[:200]}; expected an id, and a version or the last write")
    return {"kind": "key", "set": name, "key": item["id"], **known}
