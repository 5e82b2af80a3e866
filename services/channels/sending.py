"""Send messages to where people want them: mail, WeCom, DingTalk, Feishu, any gateway by webhook (apprise)."""

import asyncio
import logging
from typing import Any

from activities.notices import NotDelivered, Parcel
from services.channels.addresses import with_gateway
from services.channels.messages import message

KEY_HEADER = "Idempotency-Key"


class Sender:
    """Sends through apprise, which knows how to talk to each kind of address.

    `mail_url` is the deployment's own mail gateway (`mailtos://user:password@smtp.example.com?from=…`) for addresses
    that name none; `public_url` is put under each message.
    """

    def __init__(self, *, mail_url: str = "", public_url: str = "") -> None:
        self._mail_url = mail_url
        self._public_url = public_url
        # What it logs may quote an address with its password, or a text.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)

    async def send(self, parcel: Parcel) -> None:
        """Send a parcel; raises `NotDelivered`."""
        await asyncio.to_thread(self._send, parcel)

    def _send(self, parcel: Parcel) -> None:
        # A second of imports that only a worker with something to say needs.
        from apprise import Apprise, NotifyType

        service: Any = Apprise.instantiate(with_gateway(parcel.url, self._mail_url))
        if service is None:
            raise NotDelivered("ADDRESS_NOT_USABLE")
        # Mail, JSON, form and XML take headers of ours; the others have no place for a key.
        if isinstance(headers := getattr(service, "headers", None), dict):
            headers[KEY_HEADER] = parcel.key
        said = message(parcel.told, parcel.language, self._public_url)
        try:
            taken = service.notify(body=said.text, title=said.title, notify_type=NotifyType.INFO)
        except Exception as error:  # a plug-in of a library of two hundred: whatever it raises, it has not sent
            raise NotDelivered(type(error).__name__) from None
        if not taken:
            raise NotDelivered("REFUSED")
