"""Settings: the environment wins over the file, and a mistake is one sentence."""

import tomllib
from pathlib import Path

import pytest

from understudy.config import Settings, SettingsError, load_settings

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_defaults_are_those_of_the_interface() -> None:
    settings = load_settings()

    assert settings.callback_retry_seconds == (30, 120, 600)
    assert settings.result_days == 15
    assert (settings.requests_per_minute, settings.concurrent_tasks) == (60, 10)
    assert settings.status_requests_per_minute == 600
    assert settings.data_dir == Path("data")


def test_the_example_names_every_setting_with_its_default() -> None:
    text = EXAMPLE.read_text()
    commented = {line[2:].partition(" =")[0] for line in text.splitlines() if line.startswith("# ") and " = " in line}
    example = tomllib.loads(text)
    defaults = Settings()

    commented |= {line[3:].partition(".")[0] for line in text.splitlines() if line.startswith("# [")}
    assert set(example) | commented >= set(Settings.model_fields) - {"crash_at"}
    assert set(example) <= set(Settings.model_fields)
    assert load_settings(config_file=EXAMPLE) == defaults


def test_the_environment_wins_over_the_file_and_the_command_line_over_both(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "understudy.toml").write_text("port = 1\nconcurrent_tasks = 2\nresult_days = 3\n")
    monkeypatch.setenv("UNDERSTUDY_PORT", "4")
    monkeypatch.setenv("UNDERSTUDY_CONCURRENT_TASKS", "5")

    settings = load_settings(port=6, host=None)

    assert (settings.port, settings.concurrent_tasks, settings.result_days) == (6, 5, 3)


def test_lists_are_written_with_commas_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_OUTBOUND_ALLOW", "127.0.0.1/32, hooks.internal:8080")
    monkeypatch.setenv("UNDERSTUDY_CALLBACK_RETRY_SECONDS", "1, 2,3")

    settings = load_settings()

    assert settings.outbound_allow == ("127.0.0.1/32", "hooks.internal:8080")
    assert settings.callback_retry_seconds == (1, 2, 3)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("PORT", "eighty", "integer"),
        ("PORT", "70000", "65535"),
        ("CALLBACK_RETRY_SECONDS", "30s", "whole numbers of seconds"),
        ("CALLBACK_RETRY_SECONDS", "999999", "0 to 86400"),
        ("PUBLIC_URL", "films.example", "http:// or https://"),
        ("LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("RESULT_DAYS", "0", "greater than 0"),
        ("CONCURRENT_TASKS", "-1", "greater than or equal to 1"),
    ],
)
def test_a_bad_value_is_one_sentence_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, allowed: str
) -> None:
    monkeypatch.setenv(f"UNDERSTUDY_{name}", value)

    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert f"UNDERSTUDY_{name}" in str(caught.value)
    assert allowed in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("BACKENDS", "not json", "UNDERSTUDY_BACKENDS must hold a JSON object"),
        ("BACKENDS", "[1]", "backends"),
        ("BACKENDS", '{"Bad Name": {}}', "at most 40 lower-case letters"),
        ("MODELS", '{"a/b": {"routes": [{"backend": "x"}]}}', "at most 64 letters"),
        ("MODELS", '{"m": {"routes": []}}', "should have at least 1 item"),
        ("MODELS", '{"m": {"routes": [{"backend": "x", "weight": -1}]}}', "greater than or equal to 0"),
        ("MODELS", '{"m": {"routes": [{"backend": "x", "wieght": 1}]}}', "routes.0.wieght is unknown"),
        ("MODELS", '{"m": {"routes": [{"backend": "x"}], "sizes": ["big"]}}', "must have sizes as WIDTH*HEIGHT"),
        ("MODELS", '{"m": {"routes": [{"backend": "x"}], "sizes": ["123*77"]}}', "even sides of 64 to 4096"),
    ],
)
def test_a_mistake_in_backends_and_models_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(f"UNDERSTUDY_{name}", value)

    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert sentence in str(caught.value)
    assert "must be a" not in str(caught.value)


def test_a_bad_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "understudy.toml").write_text("secret = 12345678\n")

    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "12345678" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "problem"), [("prot = 1", "prot is unknown"), ("port = ", "not valid TOML"), ("port = 'x'", "integer")]
)
def test_a_bad_file_is_one_sentence(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "understudy.toml").write_text(text)

    with pytest.raises(SettingsError, match=problem):
        load_settings()


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="does not exist"):
        load_settings(config_file=tmp_path / "other.toml")
