"""What can go wrong while traffic is generated.

ScenarioError            everything below that a caller may want to report in one line
├── ManifestError        the run folder does not say what to drive
├── UnknownSystemError        no scenario of that name
├── UnknownFlowError          no flow or tag of that name in the scenario
├── UnboundedNamesError       requests with ever new names
├── UnknownNameError          an operation or outcome that was never declared
├── UnrecordedError     what happened could not be written down
├── BrokenScheduleError the arrivals could not be told
├── ProxyError          a proxy was asked for
├── PrepareError        the sessions could not be opened (log in) before the start
└── WorkerError         workers did not gather, or their master was lost
    └── AllLostError        no worker is left

CallError               one operation did not get a good answer; ``kind`` is its class in counters.jsonl
├── TransportError      connect, reset, timeout, protocol
├── StatusError         http_4xx, http_5xx, status
├── ContentError        content: the answer is not what was asked for
├── StaleError          stale: the answer is older than what was acknowledged before
└── LeakError           leak: the answer shows another user's data

LoadEndedError                  the load ends: the flow begins no further operation (never an error of the
system)
"""


class ScenarioError(Exception):
    """Base of what stops the load from being driven; the message says what, where and what to do."""


class ManifestError(ScenarioError):
    """The run folder's manifest.json is missing, unreadable or leaves something out."""


class UnknownSystemError(ScenarioError):
    """No file of that name in scenarios/."""


class UnknownFlowError(ScenarioError):
    """No flow carries that name or tag."""


class UnknownNameError(ScenarioError):
    """An operation or an outcome that nobody declared: what is recorded has bounded names."""


class UnrecordedError(ScenarioError):
    """The run's files could not be written (a full disk, a lost connection): the load has ended."""


class BrokenScheduleError(ScenarioError):
    """The schedule failed while the load ran: the arrivals it still had never came."""


class UnboundedNamesError(ScenarioError):
    """Requests go by more names than a report could hold."""


class ProxyError(ScenarioError):
    """Proxies are never used; the message says why."""


class PrepareError(ScenarioError):
    """A session could not be made ready before the start."""


class WorkerError(ScenarioError):
    """Several processes could not drive the load together."""


class AllLostError(WorkerError):
    """Every worker was lost while the load ran."""


class CallError(Exception):
    """One operation without a good answer; ``kind`` is one of recorder.BAD_CLASSES."""

    kind = "status"

    def __init__(self, message: str, *, kind: str | None = None) -> None:
        super().__init__(message)
        if kind is not None:
            self.kind = kind


class TransportError(CallError):
    """No complete answer: ``kind`` is connect (nothing was sent), reset, timeout or protocol."""


class StatusError(CallError):
    """A complete answer with a status the operation does not expect."""


class ContentError(CallError):
    """A content check found the answer wrong."""

    kind = "content"


class StaleError(ContentError):
    """A content check saw a state from before a change that had been acknowledged."""

    kind = "stale"


class LeakError(ContentError):
    """A content check saw data that belongs to somebody else."""

    kind = "leak"


class LoadEndedError(Exception):
    """Raised in a flow that would begin an operation after the arrivals have ended."""
