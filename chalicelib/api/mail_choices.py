"""Your mails: which notifications a person wants."""

from typing import Final

from chalicelib.api.endpoints import Endpoints
from chalicelib.api.mail_types import MailChoices, MailsOff, choices_of
from chalicelib.api.profile import PersonCall, person
from chalicelib.services.choose_mails import choose, told_to

endpoints: Final = Endpoints(__name__, tag="Profile", role="person")


@endpoints.get("/v1/profile/mails", faults=("impersonating",))
def read_own_mails(call: PersonCall) -> MailChoices:
    """Read which mails you get: those that your role is told by, and whether you want them."""
    user = person(call)
    return choices_of(user, told_to(user.role))


@endpoints.put("/v1/profile/mails", faults=("impersonating",))
def choose_own_mails(call: PersonCall, body: MailsOff) -> MailChoices:
    """Choose which mails you do not want. What concerns the safety of your login comes in any case."""
    user = choose(person(call).id, body.off)
    return choices_of(user, told_to(user.role))
