"""LexoHub's traffic: advocates at work on matters, invoices and their PDFs, and searching.

The mix, in arrivals and the requests they make (weights add up to 1,037 arrivals, 1,569 requests):

    flow            arrivals  requests  share
    browse               180       540    35%  counts, list, one matter
    search_text          340       340    22%  searches are 38% together, so that 300 requests/s make 115
    search_fuzzy         100       100     6%  searches/s, over the documented 100/s
    search_facets        160       160    10%
    update_matter         65       130     8%  change, then read it again
    invoice               70       140     9%  create, then read it
    pdf                    5        20     1%  request, wait, download: 1/s at 300 requests/s, 3.5 times the
    workflow              10        20     1%  documented 1,000/h; a workflow is looked at once
    login                 20        20     1%
    static                80        80     5%
    batch                  5         5   0.3%  invoices for two pro formas at once
    pdf_refused            1         1   0.1%  a PDF that cannot be made must end as a dead letter
    counts_age             1        13   0.8%  a change, then looks at the counts until they show it

The last two are probes, one of each in 5 s at 300 requests/s; their requests are in the group probe and in no
latency or error rate of the users. Writes are 10% of the requests.

Work is skewed as in chambers: at most ACTIVE advocates are at work at a time, each on few matters most of
the time (Zipf, exponent 1.5: of 20 matters the first three make 70% of the reads). A uniform choice over a
large archive would make the documented cache-hit rate of 80% impossible, a single hot key trivial.
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
BATCHED = 2
EVENTS = ("events-pdf", "events-email", "events-analytics")
# Seconds after a change at which the counts are looked at: about their 30 s closely, before that seldom.
LOOKS_S = (5.0, 10.0, 15.0, 20.0, 25.0, 28.0, 29.5, 30.5, 31.5)

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
BATCH = operation("invoice_batch", "POST /api/invoices/batch", "api", "write", "user", expect=(202,))
PDF_REFUSED = operation(
    "pdf_refused", "POST /api/invoices/{id}/pdf", "probe", expect=(202,), note="no such template"
)
PROBE_LOGIN = operation("probe_login", "POST /api/login", "probe", note="probe")
PROBE_COUNTS = operation("probe_counts", "GET /api/workflow/counts", "probe", note="probe")
PROBE_INVOICE = operation("probe_invoice", "POST /api/invoices", "probe", expect=(200, 201), note="probe")
PROBE_READ = operation("probe_read", "GET /api/invoices/{id}", "probe", note="probe")
COUNTS_AGE = operation("counts_age", "GET /api/workflow/counts", "probe", note="age of what they show")
AUDIT = operation("audit", "GET /api/audit/{set}")

PROFORMAS: dict[
    int, Iterator[str]
] = {}  # an advocate's sessions share them: each is invoiced once before any again


class LexoHub(FlowUser):
    """One advocate's session."""

    operations = (
        LOGIN, COUNTS, MATTERS, MATTER, UPDATE, INVOICE, INVOICE_READ, WORKFLOW, WORKFLOW_READ,
        PDF, PDF_JOB, PDF_FILE, TEXT, FUZZY, FACETS, STATIC, BATCH, PDF_REFUSED,
        PROBE_LOGIN, PROBE_COUNTS, PROBE_INVOICE, PROBE_READ, COUNTS_AGE,
    )  # fmt: skip
    ledger_sets = (
        LedgerSet(name="invoices"),
        LedgerSet(name="matter-changes", keys="matter-versions"),
        LedgerSet(name="workflows", finishes=True),
        LedgerSet(name="pdf-jobs", once=False, finishes=True, ended=("failed",)),
        LedgerSet(name="batch-invoices", finishes=True),
        *(LedgerSet(name=name, finishes=True) for name in EVENTS),
        LedgerSet(name="dead-letters", once=False, finishes=True),
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

    @flow(weight=180, operations=(COUNTS, MATTERS, MATTER), tags=("user",))
    def browse(self) -> None:
        """Open the dashboard, list matters, read one."""
        self.call(COUNTS, check=expect.counts)
        self.call(MATTERS, query={"limit": LIMIT}, check=expect.matters(self.me.id, limit=LIMIT))
        self.read(self.some_matter())

    @flow(weight=340, operations=(TEXT,), tags=("search",))
    def search_text(self) -> None:
        """Full text: a word of one of the advocate's own titles must be found."""
        self.search(TEXT, self.random.choice(self.words))

    @flow(weight=100, operations=(FUZZY,), tags=("search",))
    def search_fuzzy(self) -> None:
        """The same word with two letters exchanged must be found as well."""
        self.search(FUZZY, data.misspelt(self.random.choice(self.words)))

    @flow(weight=160, operations=(FACETS,), tags=("search",))
    def search_facets(self) -> None:
        """Count matters by status, type and month, half of the time for one status."""
        status = self.random.choice(data.MATTER_STATUSES)
        query = {"status": status} if self.random.random() < 0.5 else {}
        self.call(FACETS, query=query, check=expect.facets(own_matters=len(self.matters)))

    @flow(weight=65, operations=(UPDATE, MATTER), tags=("user", "write"), writes=("matter-changes",))
    def update_matter(self) -> None:
        """Change a matter; the next read shows it."""
        key = self.some_matter()
        change = self.engine.ledger.begin("matter-changes", key=key)
        body = {"description": f"Revised under {change.id}.", "change": change.id}
        done = self.call(
            UPDATE, ids={"id": key}, payload=body, write=change, check=expect.changed(key, change.id)
        )
        self.engine.ledger.versioned(change, done.json["version"])
        self.read(key, version=done.json["version"], change=change.id)

    @flow(weight=70, operations=(INVOICE, INVOICE_READ), tags=("user", "write"), writes=("invoices",))
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

    @flow(weight=5, operations=(PDF, PDF_JOB, PDF_JOB, PDF_FILE), tags=("pdf",), writes=("pdf-jobs",))
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

    @flow(
        weight=10,
        operations=(WORKFLOW, WORKFLOW_READ),
        tags=("user", "write"),
        writes=("workflows", *EVENTS),
    )
    def workflow(self) -> None:
        """Turn a pro forma into an invoice; look at the workflow once."""
        write = self.engine.ledger.begin("workflows", also=EVENTS)
        ids = {"id": next(self.proformas)}
        key = self.call(WORKFLOW, ids=ids, headers=_key(write.id), write=write).json["workflow_id"]
        self.call(WORKFLOW_READ, ids={"id": key}, think=1.0, check=expect.workflow(key))

    @flow(weight=20, operations=(LOGIN,), tags=("user",))
    def login(self) -> None:
        """Log in again; the session goes on with the new token."""
        request = _credentials(self.me)
        answer = self.call(LOGIN, payload=request.payload, check=expect.session(self.me.id))
        self.client.token = answer.json["token"]

    @flow(weight=80, operations=(STATIC,), tags=("static",))
    def static(self) -> None:
        """Load one of the front end's files."""
        name = self.random.choice(data.STATIC_NAMES)
        self.call(STATIC, ids={"name": name}, check=expect.asset(name))

    @flow(weight=5, operations=(BATCH,), tags=("user", "write"), writes=("batch-invoices",))
    def batch(self) -> None:
        """Have several pro formas invoiced at once."""
        wanted = list(dict.fromkeys(next(self.proformas) for _ in range(BATCHED)))
        write = self.engine.ledger.begin("batch-invoices")
        self.call(BATCH, payload={"proformas": wanted}, headers=_key(write.id), write=write)

    @flow(weight=1, operations=(PDF_REFUSED,), tags=("probe",), writes=("dead-letters",))
    def pdf_refused(self) -> None:
        """Ask for a PDF by a template that is not there: the renderer must give it up, and not lose it."""
        invoice, _ = self.random.choice(self.invoices)
        write = self.engine.ledger.begin("dead-letters")
        asked = {"template": "withdrawn"}
        self.call(PDF_REFUSED, ids={"id": invoice}, query=asked, headers=_key(write.id), write=write)

    @flow(
        weight=1,
        operations=(PROBE_LOGIN, PROBE_COUNTS, PROBE_INVOICE, *[PROBE_COUNTS] * 8, PROBE_READ, COUNTS_AGE),
        tags=("probe",),
        writes=("invoices",),
    )
    def counts_age(self) -> None:
        """As an advocate whom nobody else visits: read the counts, add an invoice, look until they show it.

        The answer time of COUNTS_AGE is how long after the acknowledgement the counts were still seen without
        the invoice. Invoices only become more, so any greater count shows it, whoever else adds some.
        """
        mine = self.client
        self.client = Client(sender=self.session, base_url=mine.base_url, run_id=mine.run_id)
        try:
            number = self.guest()
            me = data.advocate(number)
            answer = self.call(PROBE_LOGIN, payload=_credentials(me).payload, check=expect.session(me.id))
            self.client.token = answer.json["token"]
            before = self.call(PROBE_COUNTS, check=expect.counts).json["invoices"]
            write = self.engine.ledger.begin("invoices")
            asked = {"matter_id": data.matter_ids(number, self.plan.documents)[0], "amount_cents": 50_000}
            made = self.call(PROBE_INVOICE, payload=asked, headers=_key(write.id), write=write).json
            self.watch(made["id"], before)
        finally:
            self.client = mine

    def watch(self, invoice: str, before: int) -> None:
        """Look at the counts until there are more than ``before``; record when they last were not."""
        acknowledged, old = self.free_at, 0.0
        for look in LOOKS_S:
            think = max(0.0, acknowledged + look - self.free_at)
            if self.call(PROBE_COUNTS, think=think, check=expect.counts).json["invoices"] > before:
                break
            old = look
        self.call(PROBE_READ, ids={"id": invoice})  # one that was lost would show in no count
        self.enter(COUNTS_AGE, at=acknowledged, lasted=old)

    def guest(self) -> int:
        """Somebody who is not at work, if there is anybody; else whoever this session is."""
        everyone = data.advocate_count(self.plan.documents)
        return self.random.randrange(ACTIVE, everyone) if everyone > ACTIVE else self.index % everyone

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
