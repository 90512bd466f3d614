"""Post: what comes off ⟨mails⟩, a notice to be addressed or a mail to be sent."""

from collections.abc import Sequence

from chalicelib.services.address_notice import address
from chalicelib.services.send_mail import send
from chalicelib.wire import MailBundle


def post(bundles: Sequence[MailBundle], now_ms: int) -> None:
    """Do what each bundle says. Again, it does nothing twice. Raises what DynamoDB's and SQS's clients raise."""
    for bundle in bundles:
        if bundle.notice is not None:
            address(bundle.notice, bundle.at_ms, now_ms)
        if bundle.mail:
            send(bundle.mail, now_ms)
