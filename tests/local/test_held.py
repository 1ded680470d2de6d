import asyncio

from fingerpost.local.held import HeldAnswers
from tests.local.serving import FakeStore


def test_held_answers_are_released_by_one_commit_two_turns_later():
    async def story():
        store = FakeStore()
        held = HeldAnswers(store)
        store.write()
        assert held.needed
        first, second = held.committed(), held.committed()
        await asyncio.sleep(0)
        late = held.committed()  # of a request that arrived with the first
        assert (store.flushes, first.done()) == (0, False)
        assert await asyncio.gather(first, second, late) == [True, True, True]
        assert store.flushes == 1
        assert not held.needed

    asyncio.run(story())


def test_a_failed_commit_releases_all_with_false_and_the_next_one_starts_afresh(capfd):
    async def story():
        store = FakeStore()
        held = HeldAnswers(store)
        store.write()
        store.fails = True
        assert await asyncio.gather(held.committed(), held.committed()) == [False, False]
        store.fails = False
        store.write()
        assert await held.committed() is True

    asyncio.run(story())
    assert "disk full" in capfd.readouterr().err


def test_an_answer_that_nobody_waits_for_any_more_keeps_none_of_the_others():
    async def story():
        store = FakeStore()
        held = HeldAnswers(store)
        store.write()
        gone, waiting = held.committed(), held.committed()
        gone.cancel()
        assert await waiting is True

    asyncio.run(story())


def test_a_real_store_shows_other_connections_nothing_before_the_release(tmp_path):
    from fingerpost.local.table import local_tables
    from fingerpost.ports.table import Key

    async def story():
        key = Key("a", "-")
        main = local_tables(tmp_path).main
        other = local_tables(tmp_path).main
        main.store.hold()
        held = HeldAnswers(main.store)
        assert not held.needed
        main.put(key, {"x": 1})
        assert held.needed
        assert other.get(key) is None
        assert await held.committed() is True
        assert other.get(key) == {"x": 1}
        assert not held.needed
        for table in (main, other):
            table.store.close()

    asyncio.run(story())
