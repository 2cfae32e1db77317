"""Client secrets: reusable until they expire, then known as expired for a while, then forgotten."""

from realtime_server.transport.secrets import KEPT_S, ClientSecret, ClientSecrets


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
    secrets = ClientSecrets(most=2)
    values = [secrets.make(ClientSecret(None, None, expires=60.0), now=0.0) for _ in range(3)]
    assert len(set(values)) == 3
    assert secrets.find(values[0], 0.0) is None
    assert secrets.find(values[2], 0.0) is not None
    assert values[2] not in repr(vars(secrets))
