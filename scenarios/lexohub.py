"""LexoHub's traffic: advocates at work on matters, invoices and their PDFs, and searching.

The mix, in arrivals and the requests they make (weights add up to 206 arrivals, 310 requests):

    flow            arrivals  requests  share
    browse                36       108    35%  counts, list, one matter
    search_text           68        68    22%  searches are 39% together, so that 300 requests/s make 116
    search_fuzzy          20        20     6%  searches/s, over the documented 100/s
    search_facets         32        32    10%
    update_matter         13        26     8%  change, then read it again
    invoice               14        28     9%  create, then read it
    pdf                    1         4     1%  request, wait, download: 1/s at 300 requests/s, 3.5 times the
    workflow               2         4     1%  documented 1,000/h; a workflow is looked at once
    login                  4         4     1%
    static                16        16     5%

Writes are 10% of the requests. Work is skewed as in chambers: at most ACTIVE advocates are at work at a time,
each on few matters most of the time (Zipf, exponent 1.5: of 20 matters the first three make 70% of the
reads). A uniform choice over a large archive would make the documented cache-hit rate of 80% impossible, a
single hot key trivial.
"""

import itertools
from collections.abc import Iterator

from fixtures.data import lexohub as data
from scenarios.checks import lexohub as expect
from scenarios.errors import ContentError
from scenarios.load.client import Client, Request
from scenarios.load.operation import LedgerSet, Operation, flow, operation
from scenarios.load.users import FlowUser

ACTIVE = 100
ZIPF = 1.5
LIMIT = 20
POLLS, POLL_S = 60, 0.5

LOGIN = operation("login", "POST /api/login", "api", "user")
COUNTS = operation("counts", "GET /api/workflow/counts", "api", "read", "user")
MATTERS = operation("matters", "GET /api/matters", "api", "read", "user")
MATTER = operation("matter", "GET /api/matters/{id}", "api", "read", "user")
UPDATE = operation("matter_update", "PUT /api/matters/{id}", "api", "write", "user")
INVOICE = operation("invoice_create", "POST /api/invoices", "api", "write", "user", expect=(200, 201))
INVOICE_READ = operation("invoice", "GET /api/invoices/{id}", "api", "read", "user")
WORKFLOW = operation(
    "workflow_start", "POST /api/proformas/{id}/invoice", "api", "write", "user", expect=(202,)
)
WORKFLOW_READ = operation("workflow", "GET /api/workflows/{id}", "api", "read", "user")
PDF = operation("pdf_request", "POST /api/invoices/{id}/pdf", "api", "write", "pdf", expect=(202,))
PDF_JOB = operation("pdf_job", "GET /api/pdfs/{id}", "api", "read", "pdf")
PDF_FILE = operation("pdf_download", "GET /{document}", "pdf", note="presigned")
TEXT = operation("search_text", "GET /api/search", "api", "read", "search")
FUZZY = operation("search_fuzzy", "GET /api/search", "api", "read", "search", note="fuzzy")
FACETS = operation("search_facets", "GET /api/search/facets", "api", "read", "search")
STATIC = operation("static", "GET /static/{name}", "static")
AUDIT = operation("audit", "GET /api/audit/{set}")

PROFORMAS: dict[
    int, Iterator[str]
] = {}  # an advocate's sessions share them: each is invoiced once before any again


class LexoHub(FlowUser):
    """One advocate's session."""

    operations = (
        LOGIN, COUNTS, MATTERS, MATTER, UPDATE, INVOICE, INVOICE_READ, WORKFLOW, WORKFLOW_READ,
        PDF, PDF_JOB, PDF_FILE, TEXT, FUZZY, FACETS, STATIC,
    )  # fmt: skip
    ledger_sets = (
        LedgerSet(name="invoices"),
        LedgerSet(name="matter-changes"),
        LedgerSet(name="workflows", finishes=True),
        LedgerSet(name="pdf-jobs", once=False, finishes=True, ended=("failed",)),
    )
    audit_operation = AUDIT

    def prepare(self) -> None:
        """Log in as one of the advocates at work."""
        documents = self.plan.documents
        number = self.index % min(ACTIVE, data.advocate_count(documents))
        self.me = data.advocate(number)
        self.matters = data.matter_ids(number, documents)
        self.skew = list(itertools.accumulate((rank + 1) ** -ZIPF for rank in range(len(self.matters))))
        self.words = [matter.title.split()[0].lower() for matter in data.matters(number, documents)]
        self.invoices = [(each.id, each.number) for each in data.invoices(number, documents)]
        self.proformas = PROFORMAS.setdefault(number, itertools.cycle(data.proforma_ids(number, documents)))
        answer = self.client.ask(_credentials(self.me), expect.session(self.me.id))
        self.client.token = answer.json["token"]

    @classmethod
    def audit(cls, client: Client) -> None:
        """Log in as the auditor."""
        client.token = client.ask(_credentials(data.auditor())).json["token"]

    @flow(weight=36, operations=(COUNTS, MATTERS, MATTER), tags=("user",))
    def browse(self) -> None:
        """Open the dashboard, list matters, read one."""
        self.call(COUNTS, check=expect.counts)
        self.call(MATTERS, query={"limit": LIMIT}, check=expect.matters(self.me.id, limit=LIMIT))
        self.read(self.some_matter())

    @flow(weight=68, operations=(TEXT,), tags=("search",))
    def search_text(self) -> None:
        """Full text: a word of one of the advocate's own titles must be found."""
        self.search(TEXT, self.random.choice(self.words))

    @flow(weight=20, operations=(FUZZY,), tags=("search",))
    def search_fuzzy(self) -> None:
        """The same word with two letters exchanged must be found as well."""
        self.search(FUZZY, data.misspelt(self.random.choice(self.words)))

    @flow(weight=32, operations=(FACETS,), tags=("search",))
    def search_facets(self) -> None:
        """Count matters by status, type and month, half of the time for one status."""
        status = self.random.choice(data.MATTER_STATUSES)
        query = {"status": status} if self.random.random() < 0.5 else {}
        self.call(FACETS, query=query, check=expect.facets(own_matters=len(self.matters)))

    @flow(weight=13, operations=(UPDATE, MATTER), tags=("user", "write"))
    def update_matter(self) -> None:
        """Change a matter; the next read shows it."""
        key, change = self.some_matter(), self.engine.ledger.begin("matter-changes")
        body = {"description": f"Revised under {change.id}.", "change": change.id}
        done = self.call(
            UPDATE, ids={"id": key}, payload=body, write=change, check=expect.changed(key, change.id)
        )
        self.read(key, version=done.json["version"], change=change.id)

    @flow(weight=14, operations=(INVOICE, INVOICE_READ), tags=("user", "write"))
    def invoice(self) -> None:
        """Create an invoice; it reads as it was created."""
        asked = {"matter_id": self.some_matter(), "amount_cents": self.random.randrange(50_000, 2_500_000)}
        write = self.engine.ledger.begin("invoices")
        made = self.call(
            INVOICE,
            payload=asked,
            headers=_key(write.id),
            write=write,
            check=expect.invoice(self.me.id, **asked),
        ).json
        same = {name: made[name] for name in ("id", "number", *asked)}
        self.call(INVOICE_READ, ids={"id": made["id"]}, check=expect.invoice(self.me.id, **same))

    @flow(weight=1, operations=(PDF, PDF_JOB, PDF_JOB, PDF_FILE), tags=("pdf",))
    def pdf(self) -> None:
        """Ask for an invoice's PDF, wait for it, download it."""
        invoice, number = self.random.choice(self.invoices)
        write = self.engine.ledger.begin("pdf-jobs")
        job = self.call(PDF, ids={"id": invoice}, headers=_key(write.id), write=write).json["job_id"]
        for _ in range(POLLS):
            state = self.call(PDF_JOB, ids={"id": job}, think=POLL_S, check=expect.job(job, number)).json
            if state["status"] == "done":
                self.call(PDF_FILE, url=state["url"], check=expect.pdf(number))
                return
        raise ContentError(f"PDF job {job} was not done after {POLLS * POLL_S:g} s")

    @flow(weight=2, operations=(WORKFLOW, WORKFLOW_READ), tags=("user", "write"))
    def workflow(self) -> None:
        """Turn a pro forma into an invoice; look at the workflow once."""
        write = self.engine.ledger.begin("workflows")
        ids = {"id": next(self.proformas)}
        key = self.call(WORKFLOW, ids=ids, headers=_key(write.id), write=write).json["workflow_id"]
        self.call(WORKFLOW_READ, ids={"id": key}, think=1.0, check=expect.workflow(key))

    @flow(weight=4, operations=(LOGIN,), tags=("user",))
    def login(self) -> None:
        """Log in again; the session goes on with the new token."""
        request = _credentials(self.me)
        answer = self.call(LOGIN, payload=request.payload, check=expect.session(self.me.id))
        self.client.token = answer.json["token"]

    @flow(weight=16, operations=(STATIC,), tags=("static",))
    def static(self) -> None:
        """Load one of the front end's files."""
        name = self.random.choice(data.STATIC_NAMES)
        self.call(STATIC, ids={"name": name}, check=expect.asset(name))

    def some_matter(self) -> str:
        """One of the advocate's matters, the first ones far more often."""
        return self.random.choices(self.matters, cum_weights=self.skew)[0]

    def read(self, key: str, *, version: int = 0, change: str = "") -> None:
        """Read one matter, at least as new as ``version``."""
        self.call(
            MATTER, ids={"id": key}, check=expect.matter(self.me.id, key, version=version, change=change)
        )

    def search(self, kind: Operation, words: str) -> None:
        """Search, expecting at least one result and nobody else's."""
        query: dict[str, str | int] = {"q": words, "limit": LIMIT // 2}
        self.call(kind, query=query, check=expect.hits(self.me.id, least=1, limit=LIMIT // 2))


def _credentials(account: data.Advocate) -> Request:
    return Request(operation=LOGIN, payload={"email": account.email, "secret": account.secret})


def _key(write_id: str) -> dict[str, str]:
    return {"Idempotency-Key": write_id}
