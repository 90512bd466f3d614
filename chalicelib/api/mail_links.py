"""Where links in mails lead: a page that asks, and what it does when its reader says so.

To open a link does nothing: mail servers open them too, to look for viruses. The page carries no token: its script
takes it out of the address that it was opened at.
"""

from typing import Final

from chalicelib.api.endpoints import Call, Endpoints, Reply
from chalicelib.api.mail_types import LinkHeeded, LinkToken
from chalicelib.domain.forward import Forward
from chalicelib.services import keep_forwards

endpoints: Final = Endpoints(__name__, tag="Forwards", role=None)
_HTML: Final = "text/html; charset=utf-8"
_POLICY: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
_PAGE: Final = """<!doctype html><html lang=en><head><meta charset=utf-8>
<meta name=viewport content='width=device-width'><title>Chasqui</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:4rem auto;padding:0 1rem}}</style></head><body>
<p>{question}</p><p lang=es>{pregunta}</p><p><button id=yes>{yes}</button></p><p id=told role=status></p>
<script>
document.getElementById('yes').onclick = async () => {{
  const token = new URLSearchParams(location.search).get('token') || '-';
  const answer = await fetch(location.pathname, {{method: 'POST', headers: {{'Content-Type': 'application/json'}},
    body: JSON.stringify({{token}})}});
  document.getElementById('told').textContent = answer.ok ? 'Done. · Hecho.'
    : 'This link does not work any more. · Este enlace ya no sirve.';
}};
</script></body></html>"""


@endpoints.get("/v1/mail-links/confirm")
def confirm_page(call: Call[None]) -> Reply[str]:
    """The page behind the link that confirms a forward: it asks whether its reader wants it."""
    return _page(
        "Do you want the notifications to be sent to you?", "¿Quieres que te lleguen los avisos?", "Yes, please · Sí"
    )


@endpoints.post("/v1/mail-links/confirm", faults=("not_found",))
def confirm_a_forward(call: Call[None], body: LinkToken) -> LinkHeeded:
    """Confirm a forward with the token that was mailed to it. Again, it stays confirmed."""
    return _heeded(keep_forwards.confirm(body.token, call.now_ms))


@endpoints.get("/v1/mail-links/stop")
def stop_page(call: Call[None]) -> Reply[str]:
    """The page behind the link that ends a forward."""
    return _page(
        "Do you want no more of these notifications?", "¿No quieres recibir más estos avisos?", "No more · No más"
    )


@endpoints.post("/v1/mail-links/stop", faults=("not_found",))
def stop_a_forward(call: Call[None], body: LinkToken) -> LinkHeeded:
    """End a forward with the token that stands in each mail of it."""
    return _heeded(keep_forwards.stop(body.token, call.now_ms))


def _page(question: str, pregunta: str, yes: str) -> Reply[str]:
    return Reply(_PAGE.format(question=question, pregunta=pregunta, yes=yes), content_type=_HTML, headers=_POLICY)


def _heeded(forward: Forward) -> LinkHeeded:
    return LinkHeeded(state=forward.state, modules=forward.modules)
