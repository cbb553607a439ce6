"""What LexoHub's answers must say. Each function makes a check: silent, or an error of scenarios.errors.

LexoHub promises that search, and everything else, shows an advocate only what is the advocate's own.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fixtures.data import lexohub as data
from scenarios.errors import ContentError, LeakError, StaleError
from scenarios.load.answer import Answer

Check = Callable[[Answer], None]
FACETS = ("by_status", "by_matter_type", "by_month")


def session(mine: str) -> Check:
    """A log-in gives a token, and for this account."""

    def check(answer: Answer) -> None:
        _own(mine, [answer.json])
        if not answer.json["token"]:
            raise ContentError("the log-in answered without a token")

    return check


def counts(answer: Answer) -> None:
    """Three counts, none negative."""
    for name in ("matters", "proformas", "invoices"):
        if answer.json[name] < 0:
            raise ContentError(f"{name} is {answer.json[name]}")


def matters(mine: str, *, limit: int) -> Check:
    """Some of the caller's matters, no more than asked for."""

    def check(answer: Answer) -> None:
        items = answer.json["items"]
        _own(mine, items)
        if not 0 < len(items) <= limit:
            raise ContentError(f"{len(items)} matters listed; expected 1 to {limit}")

    return check


def matter(mine: str, key: str, *, version: int = 0, change: str = "") -> Check:
    """The matter asked for, at least as new as ``version``; at that version its last change is ``change``."""

    def check(answer: Answer) -> None:
        _own(mine, [answer.json])
        _same(answer.json, id=key)
        seen, last = answer.json["version"], answer.json["last_change"]
        if seen < version or (seen == version and last != change):
            kind = StaleError if seen < version else ContentError
            raise kind(
                f"{key} is at version {seen} ({last}) after version {version} ({change}) was acknowledged"
            )

    return check


def changed(key: str, change: str) -> Check:
    """An update names the matter, its new version and the change."""

    def check(answer: Answer) -> None:
        _same(answer.json, id=key, change=change)
        if answer.json["version"] < 2:
            raise ContentError(f"{key} was changed and still is at version {answer.json['version']}")

    return check


def invoice(mine: str, **fields: object) -> Check:
    """The caller's invoice with these fields, and a number."""

    def check(answer: Answer) -> None:
        _own(mine, [answer.json])
        _same(answer.json, **fields)
        if not answer.json["number"]:
            raise ContentError("the invoice has no number")

    return check


def job(key: str, number: str) -> Check:
    """The state of this PDF job, for the invoice of this number."""

    def check(answer: Answer) -> None:
        _same(answer.json, job_id=key, number=number)
        if answer.json["status"] == "failed":
            raise ContentError(f"PDF job {key} failed")

    return check


def pdf(number: str) -> Check:
    """A PDF file in which the invoice's number stands."""

    def check(answer: Answer) -> None:
        if not answer.body.startswith(b"%PDF"):
            raise ContentError(f"not a PDF: it starts with {answer.body[:16]!r}")
        if number.encode() not in answer.body:
            raise ContentError(f"the PDF of invoice {number} does not contain that number")

    return check


def workflow(key: str) -> Check:
    """A workflow with this id in a state the document names."""

    def check(answer: Answer) -> None:
        _same(answer.json, id=key)
        unknown = set(answer.json["states"]) - set(data.WORKFLOW_STATES)
        if unknown:
            raise ContentError(
                f"workflow {key} reached states nobody documents: {', '.join(sorted(unknown))}"
            )

    return check


def hits(mine: str, *, least: int, limit: int) -> Check:
    """Search results: all the caller's, at least ``least`` in total and at most ``limit`` listed."""

    def check(answer: Answer) -> None:
        found = answer.json["hits"]
        _own(mine, found)
        if not least <= answer.json["total"] or not len(found) <= min(limit, answer.json["total"]):
            raise ContentError(
                f"{len(found)} of {answer.json['total']} hits; expected {least} to be found, {limit} listed"
            )

    return check


def facets(*, own_matters: int) -> Check:
    """Facets add up to the total, and count no more matters than the caller has."""

    def check(answer: Answer) -> None:
        total = answer.json["total"]
        if total > own_matters:
            raise LeakError(f"{total} matters counted; the caller has {own_matters}")
        for name in FACETS:
            if sum(answer.json[name].values()) != total:
                raise ContentError(f"{name} adds up to {sum(answer.json[name].values())} of {total}")

    return check


def asset(name: str) -> Check:
    """The static file as it was put there, marked with what the edge's cache did."""

    def check(answer: Answer) -> None:
        if not answer.headers.get("x-cache", "").endswith(" from cdn"):
            raise ContentError(f"no usable X-Cache on {name}: {answer.headers.get('x-cache')!r}")
        if answer.body != data.static_file(name):
            raise ContentError(f"{name} differs from the file that was deployed")

    return check


def _own(mine: str, items: Iterable[Mapping[str, Any]]) -> None:
    for item in items:
        if item["advocate_id"] != mine:
            raise LeakError(f"{mine} was shown {item.get('id', 'something')} of {item['advocate_id']}")


def _same(answer: Mapping[str, Any], **expected: object) -> None:
    for name, value in expected.items():
        if answer[name] != value:
            raise ContentError(f"{name} is {answer[name]!r}; expected {value!r}")
