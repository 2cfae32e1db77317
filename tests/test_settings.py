"""Keys and addresses."""

from pathlib import Path

import pytest

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
