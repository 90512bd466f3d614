"""The mails in Spanish."""

from typing import Final

from chalicelib.domain.mail import Kind
from chalicelib.mails.wording import Tongue, Wording

_HELLO: Final = "Hola, $reader:\n\n"
_SUMMARY: Final = (
    _HELLO
    + """Esto es lo que envió $account: $period.

Mensajes: $messages
Partes: $parts
Crédito: $credits

$ends_lines

Por país, mensajes y crédito:
$countries_lines

El saldo es $balance."""
)

SPANISH: Final = Tongue(
    wordings={
        Kind.USER_CREATED: Wording(
            "Tu acceso a Chasqui",
            _HELLO
            + """Ya tienes acceso a Chasqui con esta dirección de correo.

Pertenece a $account.

Elige aquí tu contraseña:
$link

Elige tu contraseña con este código:
$token

Sirve una sola vez, hasta el $until.""",
        ),
        Kind.EMAIL_CHANGED: Wording(
            "Ha cambiado la dirección de correo de tu acceso",
            _HELLO
            + """Tu acceso a Chasqui tiene ahora otra dirección de correo. Ya no es esta.

Cuándo: $changed

Si no lo has pedido tú, avísanos enseguida.""",
        ),
        Kind.PASSWORD_CHANGED: Wording(
            "Tu contraseña ha cambiado",
            _HELLO
            + """La contraseña de tu acceso a Chasqui ha cambiado. Tus otras sesiones se han cerrado.

Cuándo: $changed

Desde: $from_address

Si no has sido tú, pide enseguida una contraseña nueva y avísanos.""",
        ),
        Kind.PASSWORD_RESET: Wording(
            "Una contraseña nueva para Chasqui",
            _HELLO
            + """Alguien, esperamos que tú, ha pedido una contraseña nueva para tu acceso a Chasqui.

Se ha pedido desde $from_address.

Elígela aquí:
$link

Elígela con este código:
$token

Sirve una sola vez, hasta el $until.

Si no has sido tú, no hagas nada: tu contraseña sigue como está.""",
        ),
        Kind.PRICE_CHANGED: Wording(
            "Cambian los precios de $account",
            _HELLO
            + """Cambian los precios de $account.

Tarifa: $plan

Desde: $starts

$changes_lines""",
        ),
        Kind.CREDIT_GRANTED: Wording(
            "Crédito para $account: $amount",
            _HELLO
            + """$account ha recibido $amount créditos.

Concepto: $why

Cuándo: $granted

El saldo es $balance.""",
        ),
        Kind.LOW_CREDIT: Wording(
            "A $account se le acaba el crédito: $balance",
            _HELLO
            + """El saldo de $account es $balance, por debajo del umbral de $threshold.

Es así desde $since.

Los mensajes que el crédito no cubre se rechazan. Avisaremos de nuevo una vez al día hasta que se recargue.""",
        ),
        Kind.JOB_FINISHED: Wording(
            "Envío $job_name: $status",
            _HELLO
            + """El envío "$job_name" de $account ha acabado: $status.

Mensajes: $messages

Empezó: $started

Acabó: $ended

Lo que fue de cada mensaje lo dicen sus resultados: envío $job.""",
        ),
        Kind.WEBHOOK_FAILING: Wording(
            "Un webhook de $account no recibe nada",
            _HELLO
            + """Un webhook de $account ya no recibe nada:
$url

Desde: $since

La última respuesta: $reason

Cada evento se intenta diez veces en tres días; lo que no se haya recibido puede repetirse.
Al que responde 410 no se le envía nada hasta que lo actives de nuevo. Webhook: $webhook.""",
        ),
        Kind.GATEWAY_DOWN: Wording(
            "Pasarela caída: $gateway",
            _HELLO
            + """La pasarela $gateway ($gateway_name) no tiene sesión con su SMSC.

Desde: $since

El último error: $reason

Lo que ha de salir por ella espera. Avisaremos de nuevo cada seis horas hasta que vuelva.""",
        ),
        Kind.SUMMARY_DAILY: Wording("Resumen de $account: $period", _SUMMARY),
        Kind.SUMMARY_WEEKLY: Wording("Resumen semanal de $account: $period", _SUMMARY),
        Kind.FORWARD_CONFIRM: Wording(
            "¿Quieres los avisos de $account?",
            """Hola:

$account quiere que los avisos de Chasqui lleguen también a esta dirección, sobre: $modules.

Confírmalo aquí:
$link

Confírmalo con este código:
$token

Sirve hasta el $until. Si no haces nada, no se enviará nada.""",
        ),
    },
    words={
        "delivered": "entregados",
        "undelivered": "no entregados",
        "expired": "caducados",
        "rejected": "rechazados",
        "failed": "fallidos",
        "canceled": "cancelados",
        "unknown": "desconocidos",
        "refused": "rehusados",
        "completed": "terminado",
        "stopped": "detenido",
        "credits": "crédito",
        "prices": "precios",
        "jobs": "envíos",
        "webhooks": "webhooks",
        "summaries": "resúmenes",
    },
)
FOOTER: Final = "Recibes esto porque $account te reenvía sus avisos. Para dejar de recibirlos:\n$stop"
