"""What a local run begins with."""

from chalicelib.services.import_numbering import parse_csv
from infra.local import demo, seed


def test_the_numbering_plan_has_each_prefix_once_and_knows_the_samples() -> None:
    lines = parse_csv(seed.NUMBERING.read_bytes())
    prefixes = [line.prefix for line in lines]
    assert len(set(prefixes)) == len(prefixes)
    for sample in demo.SAMPLES:
        assert any(sample.to.startswith(f"+{prefix}") for prefix in prefixes)


def test_every_country_of_the_plan_can_be_sent_to() -> None:
    assert None in seed.PRICES
    assert {line.country for line in parse_csv(seed.NUMBERING.read_bytes())} >= {
        country for country in seed.PRICES if country
    }
