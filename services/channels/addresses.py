"""Which addresses a channel may have, and whose they may be (通知地址)."""

from urllib.parse import parse_qsl, quote, urlencode, urlsplit

NAMED = frozenset({"wecombot", "dingtalk", "feishu", "lark"})
"""Services whose host is fixed; the address holds only the key of a group's robot."""
MAIL = frozenset({"mailto", "mailtos"})
GATEWAYS = frozenset({"json", "jsons", "form", "forms", "xml", "xmls"})
"""Any host of one's own choice, such as an SMS gateway: for administrators, who know what stands in the network."""


class AddressRefused(ValueError):
    """An address that this person may not use, or nobody can; `args[0]` names the sentence."""


def scheme_of(url: str, *, administrator: bool) -> str:
    """Give the kind of an address; raises `AddressRefused`.

    People may name a mail address (`mailto:name@example.com`, sent through the deployment's own gateway) or a group
    robot; mail servers and webhooks are an administrator's.
    """
    scheme = urlsplit(url).scheme.lower()
    if scheme in NAMED:
        allowed = True
    elif scheme in MAIL:
        allowed = administrator or plain_mail(url) is not None
    else:
        allowed = administrator and scheme in GATEWAYS
    if not allowed:
        raise AddressRefused("channel_not_allowed")
    if plain_mail(url) is None and not _is_known(url):
        raise AddressRefused("channel_address")
    return scheme


def plain_mail(url: str) -> str | None:
    """The mail address of `mailto:name@example.com`; None for every other address."""
    parts = urlsplit(url)
    address = parts.path
    plain = parts.scheme.lower() == "mailto" and not parts.netloc and not parts.query
    return address if plain and address.count("@") == 1 and address.isprintable() and " " not in address else None


def with_gateway(url: str, mail_url: str) -> str:
    """The address with the deployment's own mail gateway in front of a plain mail address."""
    address = plain_mail(url)
    if address is None or not mail_url:
        return url
    parts = urlsplit(mail_url)
    given = [(name, value) for name, value in parse_qsl(parts.query) if name != "to"]
    return parts._replace(query=urlencode([*given, ("to", address)], quote_via=quote)).geturl()


def _is_known(url: str) -> bool:
    from apprise import Apprise

    return Apprise.instantiate(url) is not None
