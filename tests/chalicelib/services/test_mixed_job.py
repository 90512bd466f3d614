"""Nobody on a list is written to by a job, whichever list, however the file writes the number; all others are, once."""

import pytest

from chalicelib.domain.status import Status
from tests.chalicelib.services import jobs_world as world
from tests.chalicelib.services import mixed_job
from tests.chalicelib.services.world import PRICE_MICROS, balance, ledger_sum

pytestmark = pytest.mark.usefixtures("aws")
SUPPRESSED = 1_500


def test_of_fifteen_hundred_on_the_lists_none_reaches_a_gateway_and_each_other_recipient_is_reached_once() -> None:
    told = mixed_job.run(SUPPRESSED)
    assert (len(told.suppressed), len(told.reachable)) == (SUPPRESSED, SUPPRESSED // 5)
    assert told.reached_in_vain == 0
    assert dict(told.dispatched) == dict.fromkeys(told.reachable, 1)
    assert (told.survey.valid, told.survey.refused) == (SUPPRESSED * 6 // 5, SUPPRESSED)
    assert set(told.survey.refused_by_code) == {"dnd", "opted_out"}
    assert (told.tally.charged, told.tally.ends) == (len(told.reachable), {Status.REJECTED: SUPPRESSED})
    assert balance() == ledger_sum() == world.ALL_CREDIT - len(told.reachable) * PRICE_MICROS
