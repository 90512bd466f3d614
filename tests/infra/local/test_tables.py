"""The indexes that infra/data.yaml defines, as the meter sees them."""

from infra.local import tables


def test_the_template_s_indexes_are_found_with_what_they_carry() -> None:
    known = tables.indexes("stage")
    assert known["stage-wallets"] == ()
    by_decision, by_recipient = known["stage-messages"]
    assert by_decision.keys == ("late", "decided")
    assert by_recipient.keys == ("recipient", "fact")
