"""Sign in by an OpenID provider (统一身份认证): any standard one, by discovery, authorization code and PKCE.

What must be remembered between leaving for the provider and coming back travels in a signed ticket, kept by the
browser that left: no other browser can finish what it began.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey

from services.identity.errors import ProviderRefused

TICKET_LIFE = timedelta(minutes=10)
TIMEOUT_SECONDS = 10.0
# Signatures that only the provider can make: neither `none` nor one by a secret that we share.
ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "EdDSA"]
DISCOVERED_FOR = timedelta(hours=1)
LEEWAY_SECONDS = 60
SECOND_FACTORS = frozenset({"otp", "mfa", "hwk", "swk", "fpt", "face"})


@dataclass(frozen=True, slots=True)
class Client:
    """How this deployment is known at the provider (SHANGLIANG_OIDC_…)."""

    issuer: str
    client_id: str
    client_secret: str
    username_claim: str = ""
    """The claim that names one of our accounts, where its names are ours; empty: people are linked by hand."""
    scope: str = "openid profile"


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the provider let in."""

    issuer: str
    subject: str
    username: str | None
    second_factor: bool


class Provider:
    """One OpenID provider."""

    def __init__(
        self, client: Client, key: str | bytes, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._client = client
        self._key = OctKey.import_key(key)
        self._now = now
        self._found: tuple[datetime, dict[str, Any], KeySet] | None = None

    async def begin(self, redirect_uri: str) -> tuple[str, str]:
        """Give the address to send the browser to, and the ticket that it must bring back."""
        metadata, _ = await self._discover()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        async with self._session(redirect_uri) as session:
            url, _ = session.create_authorization_url(
                metadata["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier
            )
        expires = int((self._now() + TICKET_LIFE).timestamp())
        kept = {"state": state, "nonce": nonce, "verifier": verifier, "exp": expires, "use": "oidc"}
        return str(url), jwt.encode({"alg": "HS256"}, kept, self._key, algorithms=["HS256"])

    async def finish(self, ticket: str, *, state: str, code: str, redirect_uri: str) -> Identity:
        """Give whom the provider let in; raises `ProviderRefused` when anything does not belong together."""
        kept = self._opened(ticket)
        if not secrets.compare_digest(kept["state"].encode(), state.encode()):
            raise ProviderRefused("OIDC_REFUSED")
        metadata, keys = await self._discover()
        try:
            async with self._session(redirect_uri) as session:
                token = await session.fetch_token(
                    metadata["token_endpoint"],
                    code=code,
                    code_verifier=kept["verifier"],
                    grant_type="authorization_code",
                )
            claims = self._claims(token["id_token"], keys, kept["nonce"], token.get("access_token"))
        except (OAuthError, JoseError, httpx2.HTTPError, KeyError, ValueError):
            raise ProviderRefused("OIDC_REFUSED") from None
        named = claims.get(self._client.username_claim) if self._client.username_claim else None
        ways = claims.get("amr") or []
        return Identity(
            issuer=claims["iss"],
            subject=claims["sub"],
            username=named if isinstance(named, str) else None,
            second_factor=not SECOND_FACTORS.isdisjoint(ways),
        )

    def _claims(self, id_token: str, keys: KeySet, nonce: str, access_token: str | None) -> CodeIDToken:
        read = jwt.decode(id_token, keys, algorithms=ALGORITHMS)
        claims = CodeIDToken(
            read.claims,
            read.header,
            options={"iss": {"value": self._client.issuer}, "aud": {"value": self._client.client_id}},
            params={"nonce": nonce, "client_id": self._client.client_id, "access_token": access_token},
        )
        claims.validate(now=int(self._now().timestamp()), leeway=LEEWAY_SECONDS)
        return claims

    def _opened(self, ticket: str) -> dict[str, Any]:
        try:
            kept = jwt.decode(ticket, self._key, algorithms=["HS256"]).claims
            jwt.JWTClaimsRegistry(
                now=int(self._now().timestamp()), exp={"essential": True}, use={"essential": True, "value": "oidc"}
            ).validate(kept)
        except (JoseError, ValueError):
            raise ProviderRefused("OIDC_REFUSED") from None
        return kept

    async def _discover(self) -> tuple[dict[str, Any], KeySet]:
        now = self._now()
        if self._found is not None and now < self._found[0]:
            return self._found[1:]
        try:
            async with httpx2.AsyncClient(timeout=TIMEOUT_SECONDS) as web:
                address = f"{self._client.issuer.rstrip('/')}/.well-known/openid-configuration"
                metadata = (await web.get(address)).raise_for_status().json()
                if metadata["issuer"] != self._client.issuer:
                    raise ValueError("another issuer answers")
                keys = KeySet.import_key_set((await web.get(metadata["jwks_uri"])).raise_for_status().json())
        except (httpx2.HTTPError, JoseError, KeyError, ValueError):
            raise ProviderRefused("OIDC_AWAY") from None
        self._found = (now + DISCOVERED_FOR, metadata, keys)
        return metadata, keys

    def _session(self, redirect_uri: str) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            self._client.client_id,
            self._client.client_secret,
            scope=self._client.scope,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            timeout=TIMEOUT_SECONDS,
        )
