"""SES: one message out. What it does not take is told apart: not now, or never."""

from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.mail_event import TAG
from chalicelib.settings import settings
from chalicelib.store import aws

# What no other time will help: the message or the address itself. Anything else is SES's state, or ours with it.
_NEVER: Final = frozenset({"MessageRejected", "BadRequestException"})


class NotTaken(Exception):
    """SES did not take it. `for_good`: it never will. The text is SES's error code."""

    def __init__(self, code: str, *, for_good: bool) -> None:
        super().__init__(code)
        self.code = code
        self.for_good = for_good


def send(mail_id: str, address: str, message: bytes) -> str:
    """Hand the message (RFC 5322) over, to that address; SES's id of it. Raises NotTaken.

    SES has no idempotency: a call whose answer was lost may have sent it.
    """
    named = settings().mail_configuration_set
    try:
        answer = _client().send_email(
            Destination={"ToAddresses": [address]},
            Content={"Raw": {"Data": message}},
            EmailTags=[{"Name": TAG, "Value": mail_id}],
            **({"ConfigurationSetName": named} if named else {}),
        )
    except ClientError as error:
        code = str(error.response["Error"]["Code"])
        raise NotTaken(code, for_good=code in _NEVER) from error
    except BotoCoreError as error:
        raise NotTaken(type(error).__name__, for_good=False) from error
    return str(answer["MessageId"])


def _client() -> Any:
    return aws.client("sesv2")
