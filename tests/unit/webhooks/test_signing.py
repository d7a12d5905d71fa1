"""Signatures, verified by two packages that are not ours."""

import base64
import json
import time

import pytest
import standardwebhooks
import svix
from hypothesis import given
from hypothesis import strategies as st

from understudy.domain.ids import new_delivery_id
from understudy.webhooks.signing import derive_secret, new_secret, sign

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE_IDS = st.text("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-", min_size=1, max_size=64)
JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=10)


def verify(secret: str, body: bytes, headers: dict[str, str]) -> None:
    """Verify with both packages; each raises if the signature does not hold."""
    standardwebhooks.Webhook(secret).verify(body, headers)
    svix.Webhook(secret).verify(body, headers)


def test_the_example_of_the_standard_comes_out() -> None:
    """Standard Webhooks 1.0.0 publishes this signature for this secret, id, time and body."""
    headers = sign(
        secret=SECRET, message_id="msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp=1614265330, body=b'{"test": 2432232314}'
    )

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@given(st.dictionaries(st.text(), JSON), MESSAGE_IDS, st.binary(min_size=24, max_size=64))
def test_both_packages_verify_any_body_id_and_secret(payload: object, message_id: str, key: bytes) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    body = json.dumps(payload, ensure_ascii=False).encode(errors="replace")

    verify(secret, body, sign(secret=secret, message_id=message_id, timestamp=int(time.time()), body=body))


@given(st.binary(max_size=200), st.integers(0, 10**6))
def test_a_body_with_one_bit_changed_does_not_verify(body: bytes, bit: int) -> None:
    body += b"}"
    headers = sign(secret=SECRET, message_id="msg_1", timestamp=int(time.time()), body=body)
    changed = bytearray(body)
    changed[bit // 8 % len(body)] ^= 1 << bit % 8

    for package, refusal in (
        (standardwebhooks.Webhook(SECRET), standardwebhooks.WebhookVerificationError),
        (svix.Webhook(SECRET), svix.WebhookVerificationError),
    ):
        # Text that is no UTF-8 is refused too, though not by the name for it (`reliability.md` §1.2).
        with pytest.raises((refusal, UnicodeDecodeError)):
            package.verify(bytes(changed), headers)


def test_another_id_time_or_secret_gives_another_signature() -> None:
    signatures = {
        sign(secret=secret, message_id=message_id, timestamp=timestamp, body=b"{}")["webhook-signature"]
        for secret in (SECRET, new_secret())
        for message_id in ("msg_1", "msg_2")
        for timestamp in (1, 2)
    }

    assert len(signatures) == 8


def test_a_new_secret_is_32_random_bytes() -> None:
    assert len(base64.b64decode(new_secret().removeprefix("whsec_"))) == 32
    assert new_secret() != new_secret()


def test_a_derived_secret_depends_on_root_key_and_version_alone() -> None:
    arguments = [
        (root, key_id, version)
        for root in (b"r" * 32, b"s" * 32)
        for key_id in ("key_a", "key_b")
        for version in (1, 2)
    ]
    derived = [derive_secret(*each) for each in arguments]

    assert len(set(derived)) == len(arguments)
    assert derived == [derive_secret(*each) for each in arguments]


def test_a_derived_secret_stays_the_same_from_release_to_release() -> None:
    """Receivers have stored it."""
    assert derive_secret(b"root", "key_1", 1) == "whsec_VX1p4C9VFBHhylzpAHkqanBe5UtpMQQllUVe37DxiIw="


def test_a_derived_secret_signs() -> None:
    secret = derive_secret(b"root", "key_1", 1)

    verify(secret, b"{}", sign(secret=secret, message_id="msg_1", timestamp=int(time.time()), body=b"{}"))


@pytest.mark.parametrize("message_id", ["", "msg.1", "msg 1", "msg_é", "msg\n1", "msg\x7f"])
def test_an_id_that_would_make_the_signed_text_ambiguous_is_refused(message_id: str) -> None:
    with pytest.raises(ValueError, match="without a dot"):
        sign(secret=SECRET, message_id=message_id, timestamp=1, body=b"{}")


def test_our_own_delivery_ids_are_accepted() -> None:
    sign(secret=SECRET, message_id=new_delivery_id(), timestamp=1, body=b"{}")


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ", "whsec_é", "whsec_" + "A" * 89]
)
def test_what_is_no_secret_is_refused_without_repeating_it(secret: str) -> None:
    with pytest.raises(ValueError, match="a webhook secret must be") as caught:
        sign(secret=secret, message_id="msg_1", timestamp=1, body=b"{}")

    assert "MfKQ" not in str(caught.value)
