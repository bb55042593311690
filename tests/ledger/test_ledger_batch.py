"""Group commit: batches, hand-over, cancellation and the one failure, with scripted transactions."""

import contextlib
from collections.abc import AsyncIterator, Callable

import anyio
import pytest
from anyio.abc import TaskGroup

from tidewaiter.gateway.ledger import LedgerBusy, LedgerClosed, LedgerFailed
from tidewaiter.gateway.ledger.batch import MAX_BATCH, GroupCommit

pytestmark = pytest.mark.anyio


class Transactions:
    """Runs batches when told to. A work that is an exception makes its whole batch raise it."""

    def __init__(self) -> None:
        self.batches: list[list[object]] = []
        self.gate = anyio.Event()

    async def __call__(self, works: list[object]) -> list[object]:
        self.batches.append(works)
        await self.gate.wait()
        for work in works:
            if isinstance(work, BaseException):
                raise work
        return [("done", work) for work in works]

    def open(self) -> None:
        self.gate.set()

    def shut(self) -> None:
        self.gate = anyio.Event()


@pytest.fixture
def run(anyio_backend: object) -> Transactions:
    return Transactions()


class Callers:
    """Starts callers and keeps what each got."""

    def __init__(self, group: TaskGroup, commits: GroupCommit[object, object]) -> None:
        self.group = group
        self.commits = commits
        self.got: dict[str, object] = {}
        self.scopes: dict[str, anyio.CancelScope] = {}

    async def call(self, *names: str, work: Callable[[str], object] = str) -> None:
        for name in names:
            self.group.start_soon(self._call, name, work(name))
            await anyio.wait_all_tasks_blocked()

    async def _call(self, name: str, work: object) -> None:
        with anyio.CancelScope() as self.scopes[name]:
            try:
                (self.got[name],) = await self.commits.submit([work])
            except (LedgerBusy, LedgerClosed, LedgerFailed) as error:
                self.got[name] = type(error)
            except anyio.get_cancelled_exc_class():
                self.got[name] = "cancelled"
                raise

    async def cancel(self, name: str) -> None:
        self.scopes[name].cancel()
        await anyio.wait_all_tasks_blocked()


@contextlib.asynccontextmanager
async def calling(run: Transactions, commits: GroupCommit[object, object]) -> AsyncIterator[Callers]:
    """Callers, all of whom are answered in the end: a batch in flight cannot be cancelled."""
    async with anyio.create_task_group() as group:
        try:
            yield Callers(group, commits)
        finally:
            run.open()


async def test_what_arrives_meanwhile_is_the_next_batch(run: Transactions) -> None:
    commits = GroupCommit(run)
    async with calling(run, commits) as callers:
        await callers.call("a")
        await callers.call("b", "c", "d")
        assert callers.got == {}
        run.open()
    assert run.batches == [["a"], ["b", "c", "d"]]
    assert commits.transactions == 2
    assert callers.got == {name: ("done", name) for name in "abcd"}


async def test_nobody_works_for_others_longer_than_one_batch(run: Transactions) -> None:
    commits = GroupCommit(run)
    async with calling(run, commits) as callers:
        await callers.call("a")
        await callers.call("b")
        gate = run.gate
        run.shut()
        gate.set()
        await anyio.wait_all_tasks_blocked()
        assert callers.got == {"a": ("done", "a")}
        assert run.batches == [["a"], ["b"]]
        run.open()


async def test_a_batch_has_a_size(run: Transactions) -> None:
    commits = GroupCommit(run)
    async with calling(run, commits) as callers:
        await callers.call("first")
        await callers.call(*(str(i) for i in range(MAX_BATCH + 1)))
        run.open()
    assert [len(batch) for batch in run.batches] == [1, MAX_BATCH, 1]


async def test_the_works_of_one_caller_stay_together(run: Transactions) -> None:
    commits = GroupCommit(run)
    run.open()
    many = [str(i) for i in range(MAX_BATCH + 5)]
    assert await commits.submit(many) == [("done", work) for work in many]
    assert run.batches == [many]


async def test_a_caller_cancelled_while_it_waits_takes_its_work_back(run: Transactions) -> None:
    commits = GroupCommit(run)
    async with calling(run, commits) as callers:
        await callers.call("a")
        await callers.call("b")
        await callers.call("c")
        await callers.cancel("b")
        assert callers.got == {"b": "cancelled"}
        run.open()
    assert run.batches == [["a"], ["c"]]


async def test_a_follower_cancelled_in_flight_leaves_the_batch_alone(run: Transactions) -> None:
    commits = GroupCommit(run)
    async with calling(run, commits) as callers:
        await callers.call("a")
        await callers.call("b", "c")
        gate = run.gate
        run.shut()
        gate.set()
        await anyio.wait_all_tasks_blocked()
        await callers.cancel("c")
        assert callers.got == {"a": ("done", "a"), "c": "cancelled"}
        await callers.call("d")
        run.open()
    assert run.batches == [["a"], ["b", "c"], ["d"]]
    assert callers.got["d"] == ("done", "d")


async def test_a_leader_cancelled_in_flight_finishes_and_hands_on(run: Transactions) -> None:
    commits = GroupCommit(run)
    async with calling(run, commits) as callers:
        await callers.call("a")
        await callers.call("b")
        await callers.cancel("a")
        assert callers.got == {}
        run.open()
    assert callers.got == {"a": ("done", "a"), "b": ("done", "b")}


async def test_a_caller_cancelled_as_it_is_handed_the_lead_hands_it_on(run: Transactions) -> None:
    """The next leader is cancelled in the same turn of the loop in which the one before finishes."""
    for order in ("first", "last"):
        commits = GroupCommit(run)
        run.shut()
        async with calling(run, commits) as callers:
            await callers.call("a")
            await callers.call("b")
            await callers.call("c")
            if order == "first":
                callers.scopes["b"].cancel()
            run.open()
            if order == "last":
                callers.scopes["b"].cancel()
        assert callers.got["a"] == ("done", "a")
        assert callers.got["c"] == ("done", "c")
        assert await commits.submit(["later"]) == [("done", "later")]


async def test_after_one_failure_nothing_runs_again(run: Transactions) -> None:
    commits = GroupCommit(run)
    async with calling(run, commits) as callers:
        await callers.call("a", work=OSError)
        await callers.call("b", "c")
        assert not commits.failed.is_set()
        run.open()
    assert callers.got == dict.fromkeys("abc", LedgerFailed)
    assert commits.failed.is_set()
    assert commits.transactions == 0
    with pytest.raises(LedgerFailed) as caught:
        await commits.submit(["d"])
    assert isinstance(caught.value.__cause__, OSError)
    assert len(run.batches) == 1


async def test_a_batch_that_could_not_begin_fails_alone(run: Transactions) -> None:
    commits = GroupCommit(run)
    async with calling(run, commits) as callers:
        await callers.call("a", work=LedgerBusy)
        await callers.call("b")
        run.open()
    assert callers.got == {"a": LedgerBusy, "b": ("done", "b")}
    assert not commits.failed.is_set()


async def test_a_commit_broken_off_from_outside_is_a_failure(run: Transactions) -> None:
    commits = GroupCommit(run)
    run.open()
    with pytest.raises(KeyboardInterrupt):
        await commits.submit([KeyboardInterrupt()])
    assert commits.failed.is_set()
    with pytest.raises(LedgerFailed):
        await commits.submit(["a"])


async def test_closing_waits_for_what_is_in_flight(run: Transactions) -> None:
    commits = GroupCommit(run)
    async with calling(run, commits) as callers:
        await callers.call("a")
        await callers.call("b")
        callers.group.start_soon(commits.close)
        await anyio.wait_all_tasks_blocked()
        await callers.call("c")
        assert callers.got == {"c": LedgerClosed}
        run.open()
    assert callers.got == {"a": ("done", "a"), "b": ("done", "b"), "c": LedgerClosed}
    await commits.close()
