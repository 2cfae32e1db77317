"""Client secrets: reusable until they expire, then known as expired for a while, then forgotten."""

import pytest

from realtime_server.transport.secrets import KEPT_S, ClientSecret, ClientSecrets, ShareUsedUp


def test_a_secret_lives_expires_and_is_forgotten() -> None:
    secrets = ClientSecrets()
    value = secrets.make(ClientSecret(3, {"type": "realtime"}, expires=60.0), now=0.0)
    for now in (0.0, 30.0, 59.9):
        found = secrets.find(value, now)
        assert found is not None
        assert (found.who, found.expired(now)) == (3, False)
    expired = secrets.find(value, 60.0)
    assert expired is not None
    assert expired.expired(60.0)
    assert secrets.find(value, 60.0 + KEPT_S) is None
    assert secrets.find(value + "x", 0.0) is None


def test_values_differ_and_are_not_kept() -> None:
    secrets = ClientSecrets()
    values = [secrets.make(ClientSecret(None, None, expires=60.0), now=0.0) for _ in range(3)]
    assert len(set(values)) == 3
    assert not [value for value in values if value in repr(vars(secrets))]


def test_a_valid_secret_is_never_pushed_out() -> None:
    secrets = ClientSecrets(share=2)
    others = secrets.make(ClientSecret(2, None, expires=9000.0), now=0.0)
    own = [secrets.make(ClientSecret(1, None, expires=expires), now=0.0) for expires in (100.0, 60.0)]
    with pytest.raises(ShareUsedUp):
        secrets.make(ClientSecret(1, None, expires=60.0), now=59.0)
    secrets.make(ClientSecret(2, None, expires=60.0), now=59.0)
    assert all(secrets.find(value, 59.0) for value in (others, *own))
    # The expired one goes at once where its place is needed.
    secrets.make(ClientSecret(1, None, expires=120.0), now=60.0)
    assert [secrets.find(value, 60.0) is not None for value in (others, *own)] == [True, True, False]


def test_a_share_has_bytes_too() -> None:
    secrets = ClientSecrets(share_bytes=10_000)
    large = {"instructions": "x" * 6000}
    value = secrets.make(ClientSecret(1, large, expires=60.0), now=0.0)
    with pytest.raises(ShareUsedUp):
        secrets.make(ClientSecret(1, large, expires=60.0), now=0.0)
    found = secrets.find(value, 0.0)
    assert found is not None
    assert found.session == large
    secrets.make(ClientSecret(1, large, expires=90.0), now=60.0)
    assert secrets.find(value, 60.0) is None


def test_what_is_no_text_is_no_secret() -> None:
    assert ClientSecrets().find("ek_\udcff", 0.0) is None
