"""A token is believed only when we signed it, it is unaltered and it has not run out."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from services.identity.errors import TokenRefused
from services.identity.tokens import ALGORITHM, Tokens
from workflows.kernel.process import Actor

KEY = "k" * 32
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ACTOR = Actor(id="01a1ff74-7766-7afb-80fb-441c51087f30", username="worker1", grants=())


def tokens(at: datetime = NOON, key: str = KEY) -> Tokens:
    return Tokens(key, lifetime=timedelta(minutes=30), now=lambda: at)


def claims(**changed: Any) -> dict[str, Any]:
    seconds = int(NOON.timestamp())
    full = {"iss": "shangliang", "sub": "a", "username": "b", "iat": seconds, "exp": seconds + 60, "jti": "c"}
    return {name: value for name, value in {**full, **changed}.items() if value is not None}


def signed(given: dict[str, Any], key: str = KEY, algorithm: str = ALGORITHM) -> str:
    return jwt.encode({"alg": algorithm}, given, OctKey.import_key(key), algorithms=[algorithm])


def part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def reason(token: str, at: datetime = NOON) -> str:
    with pytest.raises(TokenRefused) as refused:
        tokens(at).read(token)
    return refused.value.reason


def test_a_token_says_who_and_until_when() -> None:
    read = tokens().read(tokens().issue(ACTOR))

    assert (read.actor_id, read.username) == (ACTOR.id, "worker1")
    assert (read.issued_at, read.expires_at) == (NOON, NOON + timedelta(minutes=30))


def test_each_token_has_an_id_of_its_own() -> None:
    first, second = (tokens().read(tokens().issue(ACTOR)) for _ in range(2))

    assert first.token_id != second.token_id


def test_a_token_runs_out_a_minute_after_its_time_because_clocks_differ() -> None:
    token = tokens().issue(ACTOR)

    assert tokens(NOON + timedelta(minutes=30, seconds=59)).read(token).actor_id == ACTOR.id
    assert reason(token, NOON + timedelta(minutes=31)) == "TOKEN_EXPIRED"


def test_a_token_from_a_clock_that_is_far_ahead_is_refused() -> None:
    token = tokens(NOON + timedelta(minutes=2)).issue(ACTOR)

    assert reason(token) == "TOKEN_INVALID"


def test_a_token_of_another_deployment_is_refused() -> None:
    assert reason(tokens(key="o" * 32).issue(ACTOR)) == "TOKEN_INVALID"


def test_an_altered_token_is_refused() -> None:
    header, _, signature = tokens().issue(ACTOR).split(".")

    assert reason(".".join((header, part(claims(sub="somebody-else")), signature))) == "TOKEN_INVALID"


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE"])
def test_a_token_that_nobody_signed_is_refused(algorithm: str) -> None:
    for signature in ("", "AAAA"):
        token = f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims())}.{signature}"

        assert reason(token) == "TOKEN_INVALID"


def test_another_algorithm_is_refused_even_with_our_key() -> None:
    assert reason(signed(claims(), algorithm="HS512")) == "TOKEN_INVALID"


def test_a_public_key_scheme_is_refused() -> None:
    key = RSAKey.generate_key(2048, auto_kid=False)
    token = jwt.encode({"alg": "RS256"}, claims(), key, algorithms=["RS256"])

    assert reason(token) == "TOKEN_INVALID"


@pytest.mark.parametrize("missing", ["iss", "sub", "username", "iat", "exp", "jti"])
def test_a_token_that_lacks_a_claim_is_refused(missing: str) -> None:
    assert reason(signed(claims(**{missing: None}))) == "TOKEN_INVALID"


@pytest.mark.parametrize(
    "changed",
    [{"iss": "other"}, {"exp": "soon"}, {"iat": "now"}, {"sub": 7}, {"sub": ""}, {"username": 7}, {"jti": 1}],
)
def test_a_claim_of_the_wrong_kind_is_refused(changed: dict[str, Any]) -> None:
    assert reason(signed(claims(**changed))) == "TOKEN_INVALID"


@given(st.text(max_size=200) | st.from_regex(r"[A-Za-z0-9_-]{0,40}(\.[A-Za-z0-9_-]{0,40}){0,4}", fullmatch=True))
def test_whatever_is_no_token_is_refused(text: str) -> None:
    assert reason(text) == "TOKEN_INVALID"


def test_a_token_of_absurd_length_is_refused_unread() -> None:
    assert reason("a." * 100_000) == "TOKEN_INVALID"


def test_a_refusal_does_not_repeat_the_token() -> None:
    token = tokens(key="o" * 32).issue(ACTOR)

    with pytest.raises(TokenRefused) as refused:
        tokens().read(token)
    assert token not in repr(refused.value)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Tokens("short")


def test_a_token_that_was_believed_before_runs_out_all_the_same() -> None:
    clock = [NOON]
    ours = Tokens(KEY, lifetime=timedelta(minutes=30), now=lambda: clock[0])
    token = ours.issue(ACTOR)
    ours.read(token)

    clock[0] = NOON + timedelta(minutes=31, seconds=1)

    with pytest.raises(TokenRefused) as refused:
        ours.read(token)
    assert refused.value.reason == "TOKEN_EXPIRED"


def test_a_believed_token_lends_nothing_to_one_that_resembles_it() -> None:
    ours = tokens()
    token = ours.issue(ACTOR)
    ours.read(token)
    altered = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")

    with pytest.raises(TokenRefused) as refused:
        ours.read(altered)
    assert refused.value.reason == "TOKEN_INVALID"


def test_a_token_says_its_session_and_whether_a_code_was_shown() -> None:
    plain = tokens().read(tokens().issue(ACTOR))
    full = tokens().read(tokens().issue(ACTOR, session_id="s", second_factor=True))

    assert (plain.session_id, plain.second_factor) == (plain.token_id, False)
    assert (full.session_id, full.second_factor) == ("s", True)


@pytest.mark.parametrize("changed", [{"sid": 1}, {"amr": "otp"}, {"jti": 7}, {"sub": ["a"]}])
def test_a_claim_of_another_kind_is_refused(changed: dict[str, Any]) -> None:
    assert reason(signed(claims(**changed))) == "TOKEN_INVALID"
