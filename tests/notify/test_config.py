"""The notifier's configuration: what is wrong is named, with its file and setting; the example that ships is right; secrets stay secret."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import notify
from notify.__main__ import cli
from notify.config import ConfigError, load, parse
from tests.notify.alerts import settings

EXAMPLE = Path(notify.__file__).with_name("notify.example.toml")
HOOK = {"name": "pager", "url": "https://example.com/hook"}
MAIL = {"name": "farmer", "host": "smtp.example.com", "sender": "a@example.com", "recipients": ["b@example.com"]}


def test_the_example_is_valid_and_shows_every_setting_with_its_default(tmp_path: Path) -> None:
    text = EXAMPLE.read_text()
    shown = re.sub(r"^# ((?!tls_ca)[a-z_]+ = )", r"\1", text, flags=re.MULTILINE)
    assert shown.count("\n# ") < text.count("\n# ") - 10
    config = parse(tomllib.loads(shown), EXAMPLE)
    assert config == load(EXAMPLE)
    for section in (config.pubsub, config.notify, config.retry, config.webhooks[0], config.mails[0], config.routes[0]):
        for name in type(section).__dataclass_fields__:
            assert re.search(rf"^(# )?{name} = ", text, re.MULTILINE), name


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"pubsub": {}}, "pubsub.subscription is missing"),
        ({"pubsub": {"subscription": "notify"}}, "pubsub.subscription must look like projects/PROJECT/subscriptions/NAME, not 'notify'"),
        ({"notify": {"state_file": "x", "max_perhour": 3}}, "notify.max_perhour: unknown setting; did you mean max_per_hour?"),
        ({"notify": {"state_file": "x", "max_per_hour": 0}}, "notify.max_per_hour must be at least 1, not 0"),
        ({"retry": {"max_interval": 0.5}}, "retry.max_interval must be at least 1.0, not 0.5"),
        ({"retry": {"multiplier": "2"}}, "retry.multiplier must be a number, not '2'"),
        ({"routes": []}, "at least one [[routes]]"),
        ({"routes": [{"receivers": ["pager"]}]}, "routes[1].receivers: there is no receiver 'pager'; there are stdout"),
        (
            {"routes": [{"receivers": ["stdout"], "severities": ["page"]}]},
            "routes[1].severities must be of info, warning, critical",
        ),
        ({"routes": [{"receivers": ["stdout"], "rules": []}]}, "routes[1]: an empty list fits nothing"),
        ({"webhooks": [HOOK | {"url": "http://example.com/"}]}, "webhooks[1].url: example.com is another machine: it must be https"),
        ({"webhooks": [HOOK | {"url": "ftp://example.com/"}]}, "webhooks[1].url must be an http or https URL"),
        ({"webhooks": [HOOK | {"url": "https://a:b@example.com/"}]}, "webhooks[1].url must hold no password"),
        ({"webhooks": [HOOK | {"url": "https://example.com:x/"}]}, "webhooks[1].url is no URL"),
        ({"webhooks": [HOOK | {"authorization": "a\nb"}]}, "webhooks[1].authorization must be one line"),
        ({"webhooks": [HOOK | {"timeout_seconds": 0}]}, "webhooks[1].timeout_seconds must be 0.1 to 300"),
        ({"webhooks": [HOOK | {"tls_ca": "nowhere.pem"}]}, "webhooks[1].tls_ca: there is no file"),
        ({"webhooks": [HOOK | {"name": "stdout"}]}, "the receiver name 'stdout' stands twice"),
        ({"webhooks": [HOOK], "mails": [MAIL | {"name": "pager"}]}, "the receiver name 'pager' stands twice"),
        ({"mails": [MAIL | {"starttls": False}]}, "mails[1].host smtp.example.com is another machine: starttls must be true"),
        ({"mails": [MAIL | {"user": "x"}]}, "mails[1]: user and password go together"),
        ({"mails": [MAIL | {"recipients": []}]}, "mails[1].recipients must name at least one address"),
        ({"mails": [MAIL | {"recipients": ["a@b\nBcc: c@d"]}]}, "is no mail address"),
        (
            {"mails": [MAIL | {"password": "${NO_SUCH_VARIABLE}"}]},
            "mails[1].password: the environment variable NO_SUCH_VARIABLE",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_file(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse(settings(**changes), tmp_path / "notify.toml")
    assert str(error.value).startswith(f"{tmp_path / 'notify.toml'}: ")
    assert reason in str(error.value)


def test_this_machine_needs_no_tls(tmp_path: Path) -> None:
    local = {"webhooks": [HOOK | {"url": "http://127.0.0.1:8080/"}], "mails": [MAIL | {"host": "localhost", "starttls": False}]}
    assert parse(settings(**local), tmp_path / "notify.toml").mails[0].port == 587


def test_secrets_come_from_the_environment_and_are_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_OF_TEST", "geheim")
    secret = {
        "webhooks": [HOOK | {"authorization": "Bearer ${TOKEN_OF_TEST}"}],
        "mails": [MAIL | {"user": "x", "password": "${TOKEN_OF_TEST}"}],
    }
    config = parse(settings(**secret), tmp_path / "notify.toml")
    assert (config.webhooks[0].authorization, config.mails[0].password) == ("Bearer geheim", "geheim")
    assert "geheim" not in repr(config)


@pytest.mark.parametrize("command", ["validate", "run"])
def test_a_mistake_is_one_line_and_exit_code_2_and_every_help_shows_an_example(tmp_path: Path, command: str) -> None:
    file = tmp_path / "notify.toml"
    file.write_text(EXAMPLE.read_text().replace("state_file", "statefile"))
    result = CliRunner().invoke(cli, [command, "--config", str(file)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"Error: {file}: notify.statefile: unknown setting; did you mean state_file?\n"
    assert f"tinybeam notify {command} --config notify.toml" in CliRunner().invoke(cli, [command, "--help"]).output


def test_a_good_file_is_called_good() -> None:
    result = CliRunner().invoke(cli, ["validate", "--config", str(EXAMPLE)])
    assert result.exit_code == 0
    assert result.output == f"{EXAMPLE}: good. projects/my-project/subscriptions/notify, 2 routes to stdout, pager, farmer.\n"


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent.toml: cannot be read"):
        load(tmp_path / "absent.toml")
