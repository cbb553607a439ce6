import json

import pytest

from fixtures.data import lexohub as data
from scenarios.checks import lexohub as expect
from scenarios.errors import ContentError, LeakError, StaleError, StatusError
from scenarios.load.answer import AllowList, Answer
from scenarios.load.client import judge
from scenarios.load.operation import operation

ME, OTHER = "adv-00001", "adv-00002"
READ = operation("read", "GET /a")


def answer(value=None, *, body=b"", status=200, **headers):
    """An answer with this JSON value or body."""
    return Answer(status=status, headers=headers, body=body if value is None else json.dumps(value).encode())


def hit(owner=ME):
    return {"id": "m-1", "advocate_id": owner}


MATTER = {"id": "m-1", "advocate_id": ME, "version": 3, "last_change": "c3"}
INVOICE = {"id": "n-1", "advocate_id": ME, "number": "INV-1", "amount_cents": 5}
FACETS = {"total": 2, "by_status": {"a": 2}, "by_matter_type": {"b": 1, "c": 1}, "by_month": {"d": 2}}
JS = data.static_file("app.js")

GOOD = [
    (expect.session(ME), answer({"token": "t", "advocate_id": ME})),
    (expect.counts, answer({"matters": 1, "proformas": 0, "invoices": 2})),
    (expect.matters(ME, limit=2), answer({"items": [hit(), hit()]})),
    (expect.matter(ME, "m-1"), answer(MATTER)),
    (expect.matter(ME, "m-1", version=3, change="c3"), answer(MATTER)),
    (expect.matter(ME, "m-1", version=2, change="mine"), answer(MATTER)),
    (expect.changed("m-1", "c"), answer({"id": "m-1", "change": "c", "version": 2})),
    (expect.invoice(ME, id="n-1", amount_cents=5), answer(INVOICE)),
    (expect.job("j", "INV-1"), answer({"job_id": "j", "number": "INV-1", "status": "queued"})),
    (expect.pdf("INV-1"), answer(body=b"%PDF-1.4 INV-1")),
    (expect.workflow("w"), answer({"id": "w", "states": ["ValidateProForma"]})),
    (expect.hits(ME, least=1, limit=10), answer({"total": 40, "hits": [hit()]})),
    (expect.facets(own_matters=2), answer(FACETS)),
    (expect.asset("app.js"), answer(body=JS, **{"x-cache": "Miss from cdn"})),
]
WRONG = [
    (expect.session(ME), answer({"token": "", "advocate_id": ME})),
    (expect.counts, answer({"matters": -1, "proformas": 0, "invoices": 2})),
    (expect.counts, answer({"matters": 1})),
    (expect.matters(ME, limit=2), answer({"items": []})),
    (expect.matters(ME, limit=1), answer({"items": [hit(), hit()]})),
    (expect.matter(ME, "m-2"), answer(MATTER)),
    (expect.matter(ME, "m-1", version=3, change="mine"), answer(MATTER)),
    (expect.changed("m-1", "c"), answer({"id": "m-1", "change": "other", "version": 2})),
    (expect.changed("m-1", "c"), answer({"id": "m-1", "change": "c", "version": 1})),
    (expect.invoice(ME, amount_cents=6), answer(INVOICE)),
    (expect.invoice(ME), answer(INVOICE | {"number": ""})),
    (expect.job("j", "INV-1"), answer({"job_id": "j", "number": "INV-2", "status": "queued"})),
    (expect.job("j", "INV-1"), answer({"job_id": "j", "number": "INV-1", "status": "failed"})),
    (expect.pdf("INV-1"), answer(body=b"<html>INV-1")),
    (expect.pdf("INV-1"), answer(body=b"%PDF-1.4 INV-2")),
    (expect.workflow("w"), answer({"id": "w", "states": ["Invented"]})),
    (expect.hits(ME, least=1, limit=10), answer({"total": 0, "hits": []})),
    (expect.hits(ME, least=0, limit=1), answer({"total": 2, "hits": [hit(), hit()]})),
    (expect.hits(ME, least=0, limit=9), answer({"total": 1, "hits": [hit(), hit()]})),
    (expect.facets(own_matters=2), answer(FACETS | {"by_month": {"d": 1}})),
    (expect.asset("app.js"), answer(body=JS)),
    (expect.asset("app.js"), answer(body=JS[:-1], **{"x-cache": "Hit from cdn"})),
    (expect.hits(ME, least=0, limit=9), answer(body=b"not json")),
    (expect.hits(ME, least=0, limit=9), answer(["not", "an", "object"])),
]
LEAKS = [
    (expect.session(ME), answer({"token": "t", "advocate_id": OTHER})),
    (expect.matters(ME, limit=2), answer({"items": [hit(), hit(OTHER)]})),
    (expect.matter(ME, "m-1"), answer(MATTER | {"advocate_id": OTHER})),
    (expect.invoice(ME), answer(INVOICE | {"advocate_id": OTHER})),
    (expect.hits(ME, least=1, limit=10), answer({"total": 2, "hits": [hit(), hit(OTHER)]})),
    (expect.facets(own_matters=1), answer(FACETS)),
]


@pytest.mark.parametrize(("check", "given"), GOOD)
def test_good_answers_pass(check, given):
    """What the API documents is accepted."""
    judge(READ, given, check)


@pytest.mark.parametrize(("check", "given"), WRONG)
def test_wrong_content_is_noticed(check, given):
    """Wrong, incomplete or misshapen answers are content failures, and not leaks."""
    with pytest.raises(ContentError) as failure:
        judge(READ, given, check)
    assert failure.value.kind == "content"


@pytest.mark.parametrize(("check", "given"), LEAKS)
def test_leaks_are_told_apart(check, given):
    """Another advocate's data in an answer is a leak."""
    with pytest.raises(LeakError) as failure:
        judge(READ, given, check)
    assert failure.value.kind == "leak"


def test_a_version_older_than_the_acknowledged_one_is_stale():
    """Not merely wrong content: the update was acknowledged and the read does not show it."""
    with pytest.raises(StaleError) as failure:
        judge(READ, answer(MATTER), expect.matter(ME, "m-1", version=4, change="c4"))
    assert failure.value.kind == "stale"


@pytest.mark.parametrize(
    ("status", "kind"), [(404, "http_4xx"), (503, "http_5xx"), (302, "status"), (201, "status")]
)
def test_status_comes_before_content(status, kind):
    """An unexpected status is its class, whatever the body says; redirects are not followed."""
    with pytest.raises(StatusError) as failure:
        judge(READ, answer({}, status=status), expect.counts)
    assert failure.value.kind == kind


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("127.0.0.1", True),
        ("api.example.com", True),
        ("example.com", False),
        ("evilexample.com", False),
        ("x", False),
    ],
)
def test_allow_list(host, allowed):
    """Exact names, and names below a wildcard's domain."""
    assert AllowList(("127.0.0.1", "*.example.com")).allows(host) is allowed
