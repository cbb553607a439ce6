"""The ledger of a run: every write it asked for, what was promised, and what a read-back found.

Accounting after Jepsen's checkers. Each file checks one promise:

    account     sets: what was acknowledged is there, once
    queues      messages: delivered at least once, or exactly once, once the queue is drained
    versions    overwritten keys: the last acknowledged write is the one that is read
    order       sessions: what a reader received is in order, without gaps and repetitions
    survival    what a fault took: how old the oldest acknowledged write is that did not survive it
    rewound     what a restore to a point in time took back: no longer promised

`reading` makes a `Ledger` of ledger.jsonl (docs/run-folder.md) and refuses lines that make no sense.
"""

from slo.ledger.account import Account, Job, account, accounts, jobs, sets, shown, unread
from slo.ledger.books import Book, Ledger
from slo.ledger.reading import of_lines, read
from slo.ledger.rewound import rewound

__all__ = [
    "Account",
    "Book",
    "Job",
    "Ledger",
    "account",
    "accounts",
    "jobs",
    "of_lines",
    "read",
    "rewound",
    "sets",
    "shown",
    "unread",
]
