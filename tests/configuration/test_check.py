"""Files are checked by themselves and against each other: what does not fit is one sentence that names its file and setting."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from configuration.check import check
from configuration.command import cli
from lab.acts import gateways, notifier
from lab.acts.signatures import LabKeys
from lab.world.field import REGISTRY

ROOT = Path(__file__).parents[2]

GATEWAY = f"""
[gateway]
id = "gw-1"
state_dir = "state"
heartbeat_seconds = 48
[batches]
seconds = 0
[uplink]
kind = "pubsub"
topic = "projects/demo-project/topics/telemetry"
[[sensors]]
name = "soil"
devices = ["soil-*"]
channels = {{ moisture = "m3/m3", temperature = "degC" }}
model = "soil"
[[sensors.thresholds]]
name = "frost"
channel = "temperature"
below = 1.0
[[models]]
name = "soil"
bundle = "{ROOT}/models/soil"
"""

RULES = """
[[sites]]
site_id = "field"
name = "Field"
soil = "Loam"
crop = "Maize"
[[sites]]
site_id = "hall"
name = "Hall"
[[devices]]
device_id = "soil-1"
kind = "soil"
site_id = "field"
[[rules]]
name = "dries-out"
source = "event"
event = "soil"
opens = ["soon", "now"]
[[rules]]
name = "frost"
source = "event"
event = "frost"
opens = ["low"]
severity = "critical"
[[rules]]
name = "warm"
source = "site_window"
channel = "temperature"
window_seconds = 60
above = 30.0
[[rules]]
name = "water"
source = "irrigation"
column = "need_mm"
above = 5.0
[[rules]]
name = "silent"
source = "silence"
silent_seconds = 600
[[rules]]
name = "gone"
source = "silence"
subject = "gateway"
gateways = ["gw-*"]
silent_seconds = 300
"""

NOTIFY = """
[pubsub]
subscription = "projects/demo-project/subscriptions/notify"
[notify]
state_file = "sent.db"
[[routes]]
receivers = ["stdout"]
rules = ["frost", "dries-*"]
sites = ["field"]
"""

DASH = """
[sign_in]
secret_file = "dash.secret"
[[viewers]]
user = "anna@farm.example"
sites = ["field"]
[[viewers]]
user = "otto@farm.example"
"""
SOUND = {"gateway.toml": GATEWAY, "registry.toml": RULES, "notify.toml": NOTIFY, "dash.toml": DASH}


@pytest.fixture
def fleet(tmp_path: Path) -> Callable[..., list[Path]]:
    """Writes the sound files, one of them with a text replaced."""

    def write(name: str = "", old: str = "", new: str = "") -> list[Path]:
        for file, text in SOUND.items():
            assert file != name or old in text
            (tmp_path / file).write_text(text.replace(old, new, 1) if file == name else text)
        return [tmp_path / file for file in SOUND]

    return write


def test_files_that_fit_have_no_findings(fleet: Callable[..., list[Path]]) -> None:
    assert check(fleet()) == []


def test_what_the_lab_writes_fits(tmp_path: Path) -> None:
    files = [gateways.write_settings(tmp_path, name, gateways.LIVE) for name in gateways.GATEWAYS]
    registry = tmp_path / "registry.toml"
    registry.write_text(REGISTRY.read_text())
    LabKeys(tmp_path).register(registry, gateways.GATEWAYS)
    assert check([*files, registry, notifier.write_settings(tmp_path, "http://127.0.0.1:1/")]) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "sentences"),
    [
        ("gateway.toml", 'id = "gw-1"', 'idd = "gw-1"', {"gateway.toml: gateway.idd: unknown setting; did you mean id?"}),
        (
            "gateway.toml",
            'model = "soil"\n',
            "",
            {
                "gateway.toml: models[1]: no class of sensors has the model 'soil'",
                "registry.toml: rules[1].event: no threshold or model of its devices is named 'soil'; there are frost",
            },
        ),
        (
            "gateway.toml",
            '"degC"',
            '"K"',
            {
                (
                    "gateway.toml: sensors 'soil': model 'soil' needs the channel 'temperature' in degC: "
                    'write channels = { temperature = "degC" } and [sensors.payload] units = { temperature = "K" }, which converts it'
                )
            }
            | {"registry.toml: rules[1].event: no threshold or model of its devices is named 'soil'; there are frost"},
        ),
        (
            "gateway.toml",
            '["soil-*"]',
            '["probe-*"]',
            {
                "registry.toml: devices[1].device_id: 'soil-1' is in no class of gateway.toml: no gateway reads what it sends",
                "gateway.toml: sensors[1].devices: no device of registry.toml is in the class 'soil': what it sends becomes rejects",
                "registry.toml: rules[1].event: no threshold or model of its devices is named 'soil'; there are none",
                "registry.toml: rules[2].event: no threshold or model of its devices is named 'frost'; there are none",
            },
        ),
        (
            "gateway.toml",
            "[uplink]",
            "[mqtt]\ntls_ca = '/ca.pem'\ntls_certificate = '/own.pem'\ntls_key = '/own.key'\n[uplink]",
            {"gateway.toml: mqtt.tls_ca: there is no file /ca.pem that this user may see"},
        ),
        (
            "registry.toml",
            'event = "soil"',
            'event = "sole"',
            {"registry.toml: rules[1].event: no threshold or model of its devices is named 'sole'; there are frost, soil"},
        ),
        (
            "registry.toml",
            '["soon", "now"]',
            '["soon", "never"]',
            {"registry.toml: rules[1].opens: 'soil' is never 'never'; it can be fine, now, soon"},
        ),
        ("registry.toml", '["low"]', '["high"]', {"registry.toml: rules[2].opens: 'frost' is never 'high'; it can be low, normal"}),
        (
            "registry.toml",
            'channel = "temperature"',
            'channel = "humidity"',
            {"registry.toml: rules[3].channel: no device at its sites measures 'humidity'; there are moisture, temperature"},
        ),
        (
            "gateway.toml",
            "[uplink]",
            "[windows]\nseconds = 90\n[uplink]",
            {"registry.toml: rules[3].window_seconds: windows of gw-1's 'soil' of 90 s do not lie within minutes; watch the hour, 3600"},
        ),
        (
            "gateway.toml",
            'model = "soil"\n',
            'model = "soil"\ndeadband = { temperature = 0.5 }\n',
            {
                (
                    "registry.toml: rules[3].window_seconds: "
                    "windows of gw-1's 'soil' within the deadband of temperature are in hours alone; watch the hour, 3600"
                )
            },
        ),
        (
            "gateway.toml",
            'model = "soil"\n',
            'model = "soil"\nhold_seconds = 900\ndeadband = { moisture = 0.5, temperature = 0.1 }\n',
            {
                (
                    "registry.toml: rules[3].window_seconds: "
                    "windows of gw-1's 'soil' within the deadband of temperature are in hours alone; watch the hour, 3600"
                ),
                (
                    "registry.toml: rules[5].silent_seconds must be several times 960, not 600: "
                    "devices of the class 'soil' of gw-1 are heard only every 960 s"
                ),
            },
        ),
        (
            "registry.toml",
            'crop = "Maize"',
            "",
            {"registry.toml: rules[4].sites: none of them has soil and crop, so none has a water balance"},
        ),
        (
            "registry.toml",
            "silent_seconds = 600",
            "silent_seconds = 100",
            {
                (
                    "registry.toml: rules[5].silent_seconds must be several times 130, not 100: "
                    "devices of the class 'soil' of gw-1 are heard only every 130 s"
                )
            },
        ),
        (
            "registry.toml",
            "silent_seconds = 300",
            "silent_seconds = 60",
            {"registry.toml: rules[6].silent_seconds must be several times 60, not 60: gw-1 sends a heartbeat only every 60 s"},
        ),
        (
            "registry.toml",
            'gateways = ["gw-*"]',
            'gateways = ["gv-1"]',
            {"registry.toml: rules[6].gateways: 'gv-1' fits no gateway.id; did you mean gw-1?"},
        ),
        (
            "registry.toml",
            'opens = ["low"]',
            'opens = ["low"]\nsites = ["fields"]',
            {
                "registry.toml: rules[2].sites: 'fields' fits no site of [[sites]]; did you mean field?",
            },
        ),
        (
            "dash.toml",
            'sites = ["field"]',
            'sites = ["feld"]',
            {"dash.toml: viewers[1].sites: 'feld' fits no site of [[sites]]; did you mean field? (registry.toml)"},
        ),
        (
            "notify.toml",
            '"frost"',
            '"frots"',
            {"notify.toml: routes[1].rules: 'frots' fits no rule of [[rules]]; did you mean frost? (registry.toml)"},
        ),
        (
            "notify.toml",
            '["field"]',
            '["feld"]',
            {"notify.toml: routes[1].sites: 'feld' fits no site of [[sites]]; did you mean field? (registry.toml)"},
        ),
        (
            "notify.toml",
            'rules = ["frost", "dries-*"]',
            'rules = ["dries-*"]\nseverities = ["critical"]',
            {"notify.toml: routes[1]: no rule of [[rules]] has alerts of these severities, rules and sites together (registry.toml)"},
        ),
        (
            "notify.toml",
            'rules = ["frost", "dries-*"]',
            'rules = ["gone"]',
            {"notify.toml: routes[1]: no rule of [[rules]] has alerts of these severities, rules and sites together (registry.toml)"},
        ),
    ],
)
def test_what_does_not_fit_is_a_sentence_that_names_file_and_setting(
    fleet: Callable[..., list[Path]], tmp_path: Path, name: str, old: str, new: str, sentences: set[str]
) -> None:
    found = {f"{finding.file}: {finding.sentence}".replace(f"{tmp_path}/", "") for finding in check(fleet(name, old, new))}
    assert found == sentences


@pytest.mark.parametrize(
    ("unit", "sentences"),
    [
        ("", ["rules[3].unit: devices at its sites measure temperature in degC and degF: name the unit that the limit is in"]),
        ('unit = "degF"', []),
        ('unit = "K"', ["rules[3].unit: no device at its sites measures temperature in 'K'; there is degC, degF"]),
    ],
)
def test_a_limit_is_of_one_unit(fleet: Callable[..., list[Path]], unit: str, sentences: list[str]) -> None:
    gateway, registry, notify, _ = fleet()
    gateway.write_text(f'{GATEWAY}[[sensors]]\nname = "roof"\ndevices = ["roof-*"]\nchannels = {{ temperature = "degF" }}\n')
    registry.write_text(RULES.replace("above = 30.0", f"above = 30.0\n{unit}").replace("[[rules]]", ROOF + "[[rules]]", 1))
    assert [finding.sentence for finding in check([gateway, registry, notify])] == sentences


ROOF = '[[devices]]\ndevice_id = "roof-1"\nkind = "roof"\nsite_id = "field"\n'


def test_two_gateways_of_one_name_are_found(fleet: Callable[..., list[Path]], tmp_path: Path) -> None:
    gateway, *_ = fleet()
    twin = tmp_path / "twin.toml"
    twin.write_text(GATEWAY)
    assert check([gateway, twin]) == [(twin, f"gateway.id: 'gw-1' is the name of the gateway of {gateway} too")]


@pytest.mark.parametrize("names", [["gateway.toml"], ["registry.toml"], ["notify.toml"], ["registry.toml", "notify.toml"]])
def test_some_of_the_files_are_checked_as_far_as_they_go(fleet: Callable[..., list[Path]], names: list[str]) -> None:
    assert check([file for file in fleet() if file.name in names]) == []


def call(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments], prog_name="tinybeam check")
    return result.exit_code, result.stdout, result.stderr


def test_the_command_ends_with_0_where_nothing_is_found(fleet: Callable[..., list[Path]]) -> None:
    assert call(*fleet()) == (0, "", "0 findings in 4 files\n")


def test_the_command_ends_with_1_and_a_line_for_each_finding(fleet: Callable[..., list[Path]]) -> None:
    files = fleet("gateway.toml", 'id = "gw-1"', 'id = "gw 1"')
    sentence = "gateway.id must be letters, digits, dot, dash or underscore, at most 64, not 'gw 1'"
    assert call(*files) == (1, f"{files[0]}: {sentence}\n", "1 findings in 4 files\n")
    status, output, _ = call(*files, "--json")
    assert (status, json.loads(output)) == (1, [{"file": str(files[0]), "sentence": sentence}])


@pytest.mark.parametrize("text", ["[odd]\n", "[gateway\n", None])
def test_the_command_ends_with_2_for_a_file_that_is_none_of_ours(tmp_path: Path, text: Any) -> None:
    file = tmp_path / "odd.toml"
    if text is not None:
        file.write_text(text)
    status, output, error = call(file)
    assert (status, output) == (2, "")
    assert f"Error: {file}: " in error


def test_the_command_writes_the_schema_of_a_kind() -> None:
    status, output, _ = call("--schema", "registry")
    assert (status, output) == (0, (ROOT / "schemas" / "registry.schema.json").read_text())


def test_a_gateway_signs_by_a_key_that_the_registry_has_and_no_key_is_of_a_gateway_that_is_not(tmp_path: Path) -> None:
    file, keys = gateways.write_settings(tmp_path, "gateway-north", gateways.LIVE), LabKeys(tmp_path)
    registry = tmp_path / "registry.toml"
    registry.write_text("")
    keys.register(registry, ["gateway-other"])
    found = [each for each in check([file, registry]) if "signatures" in each.sentence or "gateways[" in each.sentence]
    assert [(each.file, each.sentence.partition(":")[0]) for each in found] == [
        (registry, "gateways[1].gateway_id"),
        (file, "signatures.key_file"),
    ]
    registry.write_text("")
    keys.register(registry, ["gateway-north"])
    assert [each for each in check([file, registry]) if "signatures" in each.sentence or "gateways[" in each.sentence] == []
    file.write_text(file.read_text().partition("[signatures]")[0])
    assert [each.sentence for each in check([file, registry]) if "signatures" in each.sentence] == [
        f"signatures: {registry} has a key of 'gateway-north', which signs nothing: set pipeline_key_file"
    ]
