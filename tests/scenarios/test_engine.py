import gevent
import pytest

from scenarios.errors import UnrecordedError
from scenarios.load import shapes
from scenarios.load.answer import Answer
from scenarios.load.arrivals import Due, Stripe
from scenarios.load.books import measure
from scenarios.load.closed import Users
from scenarios.load.dispatch import BURST, Dispatcher
from scenarios.load.engine import Engine
from scenarios.load.operation import Flow, operation
from scenarios.load.plan import LoadPlan
from scenarios.load.sink import NullSink
from scenarios.load.vitals import GENERATOR, SYSTEM, Vitals

READ = operation("read", "GET /a", "api")
LOOK = Flow(name="look", weight=1, operations=("read",), tags=())


class Memory:
    """A sink that keeps everything, and fails when told to."""

    def __init__(self):
        self.text, self.full = {}, False

    def append(self, name, text):
        """As a sink does."""
        if self.full:
            raise OSError(28, "No space left on device", name)
        self.text[name] = self.text.get(name, "") + text


class Session:
    """An idle session that keeps what it is handed."""

    free_at = 0.0

    def __init__(self, engine):
        self.engine, self.got = engine, []

    def arrive(self, arrival):
        """As the dispatcher calls it."""
        self.got.append(arrival)
        self.engine.rest(self)


def plan(**changes):
    usual = {"run_id": "r", "system": "s", "urls": {"api": "http://127.0.0.1:1"}, "allow_hosts": ()}
    return LoadPlan(**(usual | {"rate": 100.0, "for_s": 1.0, "timeout_s": 0.5} | changes))


def engine(sink=None, *, stripe=None, schedule=None, **changes):
    more = {} if stripe is None else {"stripe": stripe}
    return Engine(
        plan=plan(**changes),
        flows={"look": LOOK},
        operations={"read": READ},
        sink=sink,
        schedule=schedule,
        **more,
    )


@pytest.mark.parametrize(
    ("what", "cause"),
    [
        ({"ages": [0.4] * 20}, SYSTEM),  # frozen, few sessions
        ({"ages": [i / 1000 for i in range(10_000)]}, SYSTEM),  # frozen, many sessions
        ({"ages": [0.0], "usual": 0.03}, GENERATOR),  # one session, two arrivals at once
        ({"ages": [5.0], "usual": 0.03}, SYSTEM),  # one session, frozen
        ({"ages": [0.4] * 20, "cpu": 0.95}, GENERATOR),  # answers may wait to be read
        ({"ages": [0.4] * 20, "lag": 0.5}, GENERATOR),
        ({"ages": [0.4] * 20, "stalled": 0.5}, GENERATOR),  # it was late a moment ago
        ({"ages": [0.4] * 9, "sessions": 20}, GENERATOR),  # most of them think
        ({"ages": [i / 100 for i in range(20)], "usual": 0.25}, GENERATOR),  # too few for what is usual
        ({"ages": [i / 100 for i in range(30)], "usual": 0.25}, SYSTEM),  # twice as slow as usual
        (
            {"ages": [i / 100 for i in range(200)], "usual": 2.0, "slow_s": 0.5},
            SYSTEM,
        ),  # slower than promised
        ({"ages": [0.02] * 20, "usual": 0.001, "lags": [0.015]}, GENERATOR),  # our own pause made them wait
        ({"ages": [0.02] * 20, "usual": 0.001, "lags": [0.001]}, SYSTEM),
    ],
)
def test_who_caused_a_drop(what, cause):
    """The system, if its usual answers would have left a session idle; else the generator."""
    vitals = Vitals(cpu=what.get("cpu", 0.2), slow_s=what.get("slow_s", 1.0))
    vitals.usual = what.get("usual", vitals.usual)
    vitals.lags.extend(what.get("lags", ()))
    vitals._stalled = what.get("stalled", 0.0)
    ages = what["ages"]
    lag, sessions = what.get("lag", 0.001), what.get("sessions", len(ages))
    assert vitals.drop_cause(lag=lag, ages=ages, sessions=sessions) == cause


def test_what_takes_longer_than_an_answer_may_does_not_excuse_slowness():
    """A limit beyond the client's timeout is no answer's: what counts as slow is the slowest real one."""
    limits = {"read": (0.1, 0.5), "age": (31.0,)}
    assert engine(thresholds=limits, timeout_s=10.0).vitals.slow_s == 0.5


def test_workers_together_perform_the_one_schedule():
    """Each of three workers performs every third arrival; between them nothing is missing or doubled."""
    for changes in ({}, {"poisson": True}, {"ramp_s": 0.5}):
        whole = list(engine(**changes).schedule())
        shares = [list(Stripe(index=i, of=3).take(engine(**changes).schedule())) for i in range(3)]
        assert sorted(due for share in shares for due in share) == whole
        assert len({len(share) for share in shares}) <= 2
    with pytest.raises(ValueError, match="expected 0 to 2"):
        Stripe(index=3, of=3)


def test_every_arrival_is_handed_out_once_at_its_moment():
    """Sessions get the schedule's arrivals in order, with their arguments, never before they are due."""
    dues = [Due(number / 200, "look", number) for number in range(40)]
    one = engine(schedule=iter(dues), for_s=0.25)
    session = Session(one)
    one.admit(session)
    one.start()
    assert one.run_out() is False
    one.close()
    assert [arrival.argument for arrival in session.got] == list(range(40))
    assert [round(arrival.at - one.begin, 6) for arrival in session.got] == [due.at for due in dues]


def test_a_burst_lets_the_loop_look_at_its_sockets():
    """After a few arrivals in a row the loop gets its turn: what is due at once is not handed out at once."""
    handed, seen = [], []
    dispatcher = Dispatcher(
        iter([Due(0.0, "look")] * 3 * BURST),
        begin=0.0,
        until=1.0,
        hand_out=lambda due, moment: handed.append(moment),
    )
    looker = gevent.get_hub().loop.prepare()
    looker.start(lambda: seen.append(len(handed)))
    dispatcher.start()
    dispatcher.join()
    looker.stop()
    looker.close()
    assert len(handed) == 3 * BURST
    assert {BURST, 2 * BURST} <= set(seen)


def test_a_schedule_that_fails_ends_the_load():
    """Whoever waits for the end hears that the schedule broke, not nothing."""

    def breaking():
        yield Due(0.0, "look")
        raise ValueError("line 3 is damaged")

    dispatcher = Dispatcher(breaking(), begin=0.0, until=60.0, hand_out=lambda due, moment: None)
    dispatcher.start()
    dispatcher.join()
    assert "line 3 is damaged" in str(dispatcher.error)


def test_a_full_disk_ends_the_load():
    """The first line that cannot be written stops the arrivals; the end says why."""
    sink = Memory()
    one = engine(sink, for_s=60.0)
    one.admit(Session(one))
    sink.full = True
    one.start()
    assert one.run_out() is True
    with pytest.raises(UnrecordedError, match=r"could not be recorded: .*No space left"):
        one.close()


def test_a_session_that_is_ended_is_handed_nothing_more():
    """Locust may end users in mid-run: neither idle nor busy remains of them."""
    one = engine(for_s=0.1, schedule=iter(()))
    first, second = Session(one), Session(one)
    one.admit(first)
    one.admit(second)
    one.dismiss(first)
    one.dismiss(first)
    assert (one.sessions, one.busy) == (1, 0)
    one._hand_out(Due(0.0, "look"), one.clock.mono + 1e9)
    assert (len(first.got), len(second.got)) == (0, 1)


def test_measuring_by_hand_counts_once():
    """An operation is resolved once, by the first word; its write by what was promised."""
    one = engine(NullSink())
    answer = Answer(status=200, headers={"x-request-id": "q1"}, body=b"")
    with measure(one, "read", at=one.clock.mono, write=one.ledger.begin("set")) as entry:
        entry.sent()
        assert one.waiting == 1
        entry.ok(answer=answer)
        entry.bad("timeout", "too late to matter")
    with pytest.raises(KeyError), measure(one, "read", at=one.clock.mono):
        raise KeyError("a defect")
    measure(one, "read", at=one.clock.mono, write=one.ledger.begin("set")).bad("connect", "nobody there")
    totals = one.recorder.totals()
    assert (totals.intended, totals.ok, totals.bad) == (3, 1, {"connect": 1, "protocol": 1})
    assert one.waiting == 0
    assert [line["outcome"] for line in one.ledger._lines] == ["ok", "refused"]


def test_the_schedule_follows_the_stages():
    """Stages shape the rate of requests; flows arrive accordingly fewer when each makes several."""
    stages = ({"kind": "constant", "rate": 50, "for_s": 1.0}, {"kind": "ramp", "to": 150, "for_s": 2.0})
    both = Flow(name="look", weight=1, operations=("read", "read"), tags=())
    one = Engine(plan=plan(stages=stages, for_s=3.0), flows={"look": both}, operations={"read": READ})
    assert len(list(one.schedule())) == pytest.approx((50 + 200) / 2, abs=1)
    assert shapes.profile(stages, rate=0.0).rate(2.0) == 100.0


def test_users_do_not_begin_together():
    """Users are spread over their think time, or the ramp if that is longer, on every worker alike."""
    first = [engine(model="users", sessions=5, think_s=10.0, stripe=Stripe(index=i, of=2)) for i in range(2)]
    spread = []
    for one in first:
        for _ in range(5):
            user = Session(one)
            user.index = next(one.numbers)
            spread.append(Users(one)._offset(user))
    assert sorted(spread) == [float(second) for second in range(10)]
