"""An SMSC simulator on the bridge's own protocol layer: `Smsc` in process, `python -m infra.local.smsc` on its own."""

from infra.local.smsc.config import Config, Control
from infra.local.smsc.server import Smsc

__all__ = ["Config", "Control", "Smsc"]
