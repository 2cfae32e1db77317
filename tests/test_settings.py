"""Keys and addresses."""

from pathlib import Path
from typing import Any

import pytest
import trustme

from realtime_server.session.limits import Limits
from realtime_server.settings import Keys, Settings, SettingsError, is_this_machine


def test_keys() -> None:
    keys = Keys.of(["sk-one", "sk-two"])
    assert [keys.whose(key) for key in ("sk-one", "sk-two", "sk-three", "", None)] == [0, 1, None, None, None]
    assert "sk-one" not in repr(keys)
    assert Keys().whose("") is None


def test_a_key_file(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("# comment\n\nsk-one \nsk-two\n")
    assert Keys.from_file(file).whose("sk-one") == 0
    file.write_text("# nothing\n")
    with pytest.raises(SettingsError, match="holds no key"):
        Keys.from_file(file)
    with pytest.raises(SettingsError, match="No such file"):
        Keys.from_file(tmp_path / "missing")
    file.write_bytes(b"\xef\xbb\xbfsk-one\r\nsk-\xc3\xbc\r\n")
    assert [Keys.from_file(file).whose(key) for key in ("sk-one", "sk-ü", "sk-\udcfc")] == [0, 1, None]
    for other in ("utf-16", "latin-1"):
        file.write_bytes("sk-ü\n".encode(other))
        with pytest.raises(SettingsError, match="UTF-8"):
            Keys.from_file(file)


@pytest.mark.parametrize(("host", "here"), [("127.0.0.1", True), ("localhost", True), ("::1", True), ("127.8.8.8", True),
                                            ("0.0.0.0", False), ("192.168.1.2", False), ("example.com", False)])  # fmt: skip
def test_addresses(host: str, here: bool) -> None:
    assert is_this_machine(host) is here
    if here:
        Settings(host=host)
    else:
        with pytest.raises(SettingsError, match="api-key-file"):
            Settings(host=host)
        Settings(host=host, keys=Keys.of(["sk"]))


def test_tls_needs_both_files() -> None:
    with pytest.raises(SettingsError, match="tls"):
        Settings(tls_certificate=Path("cert.pem"))


def test_tls_is_tried_before_it_is_needed(tmp_path: Path) -> None:
    pair = trustme.CA().issue_cert("localhost")
    certificate, key, other = tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "other.pem"
    pair.cert_chain_pems[0].write_to_path(certificate)
    pair.private_key_pem.write_to_path(key)
    Settings(tls_certificate=certificate, tls_key=key)
    trustme.CA().issue_cert("localhost").private_key_pem.write_to_path(other)
    for wrong in (other, certificate):
        with pytest.raises(SettingsError, match="no PEM pair"):
            Settings(tls_certificate=certificate, tls_key=wrong)
    certificate.write_bytes(b"")
    with pytest.raises(SettingsError, match="no PEM pair"):
        Settings(tls_certificate=certificate, tls_key=key)
    with pytest.raises(SettingsError, match=r"--tls-key .*No such file"):
        Settings(tls_certificate=certificate, tls_key=tmp_path / "missing")


@pytest.mark.parametrize(("fields", "flag"), [
    ({"port": 0}, "--port"), ({"port": 65536}, "--port"), ({"port": -1}, "--port"), ({"sessions": 0}, "--sessions"),
    ({"sessions_per_key": 0}, "--sessions-per-key"), ({"ping_interval_s": 0.0}, "--ping-interval"),
    ({"ping_interval_s": float("nan")}, "--ping-interval"), ({"ping_timeout_s": -1.0}, "--ping-timeout"),
    ({"ping_timeout_s": float("inf")}, "--ping-timeout"), ({"limits": Limits(requests_per_minute=0)}, "--requests-per-minute"),
    ({"limits": Limits(tokens_per_minute=-5)}, "--tokens-per-minute"), ({"limits": Limits(session_s=0)}, "--session-seconds"),
])  # fmt: skip
def test_numbers_that_cannot_be_served(fields: dict[str, Any], flag: str) -> None:
    with pytest.raises(SettingsError, match=flag):
        Settings(**fields)
