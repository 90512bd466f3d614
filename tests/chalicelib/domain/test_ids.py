"""Ids: unlike each other, in order of time, and telling when and where without an index."""

import pytest

from chalicelib.domain import ids

NOW_MS = 1_760_000_000_000


def test_ids_of_one_millisecond_and_one_shard_are_all_different() -> None:
    assert len({ids.new_message_id(NOW_MS, shards=1) for _ in range(1000)}) == 1000


def test_ulids_are_written_as_the_specification_has_it() -> None:
    assert ids.new_ulid(1_469_918_176_385)[:10] == "01ARYZ6S41"  # the specification's example
    assert len(ids.new_ulid(NOW_MS)) == 26


def test_ids_sort_by_time() -> None:
    made = [ids.new_id("rte", NOW_MS + step) for step in range(50)]
    assert made == sorted(made)


@pytest.mark.parametrize("shards", [1, 2, 5, ids.MAX_SHARDS])
def test_day_and_shard_follow_from_the_id(shards: int) -> None:
    made = [ids.new_message_id(NOW_MS, shards) for _ in range(1000)]  # enough that no shard goes without
    assert {ids.created_ms_of(id_) for id_ in made} == {NOW_MS}
    assert {ids.day_of(id_) for id_ in made} == {"2025-10-09"}
    assert {ids.shard_of(id_) for id_ in made} == set(range(shards))
    assert all(ids.check_message_id(id_) == id_ for id_ in made)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "msg_",
        "01ARYZ6S41TSV4RRFFQ69G5FAV",
        "msg_01ARYZ6S41TSV4RRFFQ69G5FA",
        "msg_81ARYZ6S41TSV4RRFFQ69G5FAV",
        "msg_01ARYZ6S41TSV4RRFFQ69G5FAI",
        "msg_01aryz6s41tsv4rrffq69g5fav",
        "msg_01ARYZ6S41TSV4RRFFQ69G5FAV\n",
    ],
)
def test_what_is_no_message_id_is_refused(text: str) -> None:
    with pytest.raises(ids.BadId):
        ids.check_message_id(text)


def test_a_single_send_is_claimed_by_its_bundle_and_a_larger_bundle_by_queue() -> None:
    assert ids.dispatch_id("B", 1, "gateway-a") == "B"
    assert ids.dispatch_id("B", 2, "gateway-a-bulk") == "B/gateway-a-bulk"


@pytest.mark.parametrize("shards", [1, 3, ids.MAX_SHARDS])
def test_a_runs_messages_tell_their_day_and_shard_and_sort_by_number_before_their_runs_end(shards: int) -> None:
    run = ids.new_run_id(NOW_MS, shards)
    made = [ids.run_message_id(run, number) for number in range(200)]
    assert made == sorted(made)
    assert {ids.created_ms_of(id_) for id_ in made} == {NOW_MS}
    assert {ids.shard_of(id_) for id_ in made} == set(range(shards))
    assert all(ids.check_message_id(id_) == id_ and ids.run_of(id_) == run for id_ in made)
    assert ids.run_of(ids.new_message_id(NOW_MS)) is None


@pytest.mark.parametrize("number", ["", "1", "00000001", "000000a", "-000001", "٠٠٠٠٠٠١"])
def test_a_runs_message_has_a_number_of_seven_digits(number: str) -> None:
    with pytest.raises(ids.BadId):
        ids.check_message_id(f"msg_{ids.new_run_id(NOW_MS)}-{number}")


def test_a_runs_bundle_is_named_as_its_first_message_so_that_ledger_and_log_sort_alike() -> None:
    run = ids.new_run_id(NOW_MS)
    assert ids.run_bundle_id(run, 98) == ids.bundle_of_single(ids.run_message_id(run, 98))


def test_more_of_a_jobs_messages_are_claimed_together_than_of_others() -> None:
    run = ids.run_bundle_id(ids.new_run_id(NOW_MS), 98)
    names = {ids.slice_id(ids.dispatch_id(run, 98, "gateway-a-bulk"), place) for place in range(98)}
    assert names == {f"{run}/gateway-a-bulk{end}" for end in ("", "#25", "#50", "#75")}
    assert ids.slice_id("01ARYZ6S41TSV4RRFFQ69G5FAV/gateway-a", 19).endswith("#10")
