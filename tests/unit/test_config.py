"""Settings: which one wins, and what a person reads when one is wrong."""

from pathlib import Path

import pytest

from hedgerow_node.config import (
    SETTINGS,
    Config,
    ConfigError,
    default_data,
    effective,
    load_config,
    settings_table,
    toml_text,
)


def write(data: Path, text: str) -> None:
    data.mkdir(exist_ok=True)
    (data / "hedgerow.toml").write_text(text)


def test_defaults_need_nothing(tmp_path: Path) -> None:
    config = load_config({"data": tmp_path / "new"}, {})
    assert (config.host, config.port, config.lan, config.peers) == ("127.0.0.1", 8470, False, ())
    assert config.origins["port"] == "default"


def test_flags_beat_environment_beats_file_beats_defaults(tmp_path: Path) -> None:
    write(tmp_path, 'port = 1000\ntitle = "File"\nplace = "File"\nhost = "0.0.0.0"\n')
    config = load_config(
        {"data": tmp_path, "port": "3000"},
        {"HEDGEROW_PORT": "2000", "HEDGEROW_TITLE": "Environment", "HOME": "/nowhere"},
    )
    assert (config.port, config.title, config.place, config.locale) == (3000, "Environment", "File", "en")
    origins = {name: origin for name, _, origin in effective(config)}
    assert [origins[name] for name in ("port", "title", "place", "locale")] == [
        "flag",
        "environment",
        "hedgerow.toml",
        "default",
    ]


def test_data_folder_comes_from_flag_environment_or_xdg(tmp_path: Path) -> None:
    assert load_config({"data": "a/b"}, {}).data == Path.cwd() / "a/b"
    assert load_config({}, {"HEDGEROW_DATA": str(tmp_path)}).data == tmp_path
    assert default_data({"XDG_DATA_HOME": "/x"}) == Path("/x/hedgerow")
    assert default_data({"XDG_DATA_HOME": "relative", "HOME": "/home/a"}) == Path("/home/a/.local/share/hedgerow")


@pytest.mark.parametrize(
    ("flags", "environ", "file", "words"),
    [
        ({}, {"HEDGEROW_PROT": "1"}, "", ["HEDGEROW_PROT", "HEDGEROW_PORT"]),
        ({}, {}, "titel = 'x'", ["titel", "hedgerow.toml", "title"]),
        ({}, {}, "xyzzy = 1", ["xyzzy", "Known are", "port"]),
        ({"port": "70000"}, {}, "", ["--port", "65535", "70000"]),
        ({"port": "eighty"}, {}, "", ["--port"]),
        ({}, {}, "port = true", ["port"]),
        ({}, {}, "port = 1.5", ["port"]),
        ({}, {}, "port = [", ["TOML"]),
        ({}, {}, "trusted_proxies = '10.0.0.1'", ["list"]),
        ({"trusted_proxies": ["10.0.0.300"]}, {}, "", ["--trusted-proxy", "IP address"]),
        ({"peers": ["ftp://x.example"]}, {}, "", ["--peer", "web address"]),
        ({"peers": ["https://u:p@x.example"]}, {}, "", ["--peer"]),
        ({"base_url": "https://x.example/?q"}, {}, "", ["--base-url"]),
        ({"base_url": "https://x.example:port"}, {}, "", ["--base-url"]),
        ({"country": "Ireland"}, {}, "", ["--country", "two letters"]),
        ({"locale": "e"}, {}, "", ["--locale"]),
        ({"host": "a:80"}, {}, "", ["--host"]),
        ({}, {"HEDGEROW_LAN": "maybe"}, "", ["HEDGEROW_LAN", "true or false"]),
        ({"records_max": "12"}, {}, "", ["--records-max"]),
        ({"title": "two\nlines"}, {}, "", ["--title"]),
    ],
)
def test_a_bad_setting_is_a_sentence(
    tmp_path: Path, flags: dict[str, object], environ: dict[str, str], file: str, words: list[str]
) -> None:
    write(tmp_path, file)
    with pytest.raises(ConfigError) as caught:
        load_config({"data": tmp_path, **flags}, environ)
    sentence = str(caught.value)
    assert sentence.endswith(".") or sentence.endswith("?")
    for word in words:
        assert word in sentence


def test_a_huge_or_binary_file_is_no_settings_file(tmp_path: Path) -> None:
    (tmp_path / "hedgerow.toml").write_bytes(b"#" * 70_000)
    with pytest.raises(ConfigError, match="larger"):
        load_config({"data": tmp_path}, {})
    (tmp_path / "hedgerow.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="TOML"):
        load_config({"data": tmp_path}, {})


def test_values_are_brought_into_one_form(tmp_path: Path) -> None:
    config = load_config(
        {
            "data": tmp_path,
            "base_url": "https://a.example/groups/",
            "peers": ["https://b.example/"] * 2,
            "country": "ie",
        },
        {"HEDGEROW_TRUSTED_PROXIES": "10.0.0.0/8, ::1"},
    )
    assert config.base_url == "https://a.example/groups"
    assert config.path_prefix == "/groups"
    assert config.peers == ("https://b.example",)
    assert config.country == "IE"
    assert config.trusted_proxies == ("10.0.0.0/8", "::1")
    assert Config(data=tmp_path).path_prefix == ""


def test_the_written_file_reads_back(tmp_path: Path) -> None:
    values = {"title": 'Ünïcode "quoted" \\ back', "port": 81, "lan": True, "peers": ("https://b.example",)}
    write(tmp_path, toml_text(values))
    config = load_config({"data": tmp_path}, {})
    assert (config.title, config.port, config.lan, config.peers) == tuple(values.values())


def test_the_table_for_the_docs_has_every_setting() -> None:
    rows = settings_table()
    assert [row[0] for row in rows] == ["data", *(setting.name for setting in SETTINGS)]
    assert all(all(row) for row in rows)


def test_the_network_s_settings(tmp_path: Path) -> None:
    onion = "a" * 56 + ".onion"
    config = load_config({"data": tmp_path, "tor_proxy": "127.0.0.1:9050", "onion": onion.upper(), "relay": "no"}, {})
    assert (config.tor_proxy, config.onion, config.relay) == ("127.0.0.1:9050", f"http://{onion}", False)
    assert load_config({"data": tmp_path}, {}).relay
    assert load_config({"data": tmp_path, "onion": f"http://{onion}/groups/"}, {}).onion == f"http://{onion}/groups"
    for name, wrong in (
        ("tor_proxy", "9050"),
        ("tor_proxy", "127.0.0.1"),
        ("tor_proxy", "socks5://127.0.0.1:9050"),
        ("tor_proxy", "127.0.0.1:0"),
        ("onion", "a.onion"),
        ("onion", "https://hedgerow.example.org"),
        ("onion", "1" * 56 + ".onion"),
        ("relay", "perhaps"),
    ):
        with pytest.raises(ConfigError):
            load_config({"data": tmp_path, name: wrong}, {})
