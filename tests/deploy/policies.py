"""What must hold of every module, each as a function that returns what is wrong: `address: what`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.deploy.terraform import FOLDER, Module, bare, expressions, inner, of_kind, texts

PROVIDER: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("provider.json").read_text())
META = {"provider", "count", "for_each", "depends_on", "lifecycle", "source", "!", "~"}
HOLDS_DATA = {
    "modules/messages": {
        "google_pubsub_topic.telemetry",
        *(f"google_pubsub_subscription.{name}" for name in ("pipeline", "notify", "dead_letters")),
    },
    "modules/warehouse": {"google_bigquery_dataset.tables", "google_bigquery_dataset.views", "google_bigquery_table.facts"},
    "modules/buckets": {"google_storage_bucket.archive"},
    "modules/secrets": {"google_secret_manager_secret.pipeline_key"},
}
BASIC = {"roles/owner", "roles/editor", "roles/viewer", "roles/browser"}
Modules = Mapping[str, Module]


def everything_is_described(modules: Modules) -> Iterator[str]:
    for module in modules.values():
        for kind, declared in (("variable", module.variables), ("output", module.outputs)):
            for name, body in declared.items():
                if len(bare(body.get("description", ""))) < 12 or not bare(body["description"]).endswith("."):
                    yield f"{module.name} {kind} {name} is not described in a sentence"
                if kind == "variable" and "type" not in body:
                    yield f"{module.name} variable {name} has no type"


def everything_is_used(modules: Modules) -> Iterator[str]:
    for module in modules.values():
        declared = {*(f"var.{name}" for name in module.variables), *(f"local.{name}" for name in module.local)}
        yield from (f"{module.name} {name} is not used" for name in sorted(declared - module.references))


def every_reference_leads_somewhere(modules: Modules) -> Iterator[str]:
    for module in modules.values():
        declared = {*module.resources, *(f"var.{name}" for name in module.variables), *(f"local.{name}" for name in module.local)}
        for reference in sorted(module.references - declared):
            call = re.fullmatch(r"module\.(\w+)(?:(?:\[[^\]]*\])?\.(\w+))?", reference)
            if not call or call[1] not in module.calls or not (call[2] is None or call[2] in _called(modules, module, call[1]).outputs):
                yield f"{module.name} {reference} is declared nowhere"


def every_call_gives_what_is_asked(modules: Modules) -> Iterator[str]:
    for module in modules.values():
        for name, body in module.calls.items():
            called = _called(modules, module, name)
            given = {argument for argument in body if not argument.startswith("__")} - META
            yield from (f"{module.name} module.{name} gives {one}, which is no variable" for one in sorted(given - called.variables.keys()))
            needed = {one for one, variable in called.variables.items() if "default" not in variable}
            yield from (f"{module.name} module.{name} does not give {one}" for one in sorted(needed - given))


def _called(modules: Modules, module: Module, name: str) -> Module:
    folder = (FOLDER / module.name / bare(module.calls[name]["source"])).resolve()
    return modules[str(folder.relative_to(FOLDER.resolve()))]


def every_output_of_a_module_is_asked_for(modules: Modules) -> Iterator[str]:
    asked = {
        (_called(modules, module, call[1]).name, call[2])
        for module in modules.values()
        for reference in module.references
        if (call := re.fullmatch(r"module\.(\w+)(?:\[[^\]]*\])?\.(\w+)", reference))
    }
    for module in modules.values():
        if module.name.startswith("modules/"):
            yield from (
                f"{module.name} output {name} is asked for by nobody" for name in module.outputs if (module.name, name) not in asked
            )


def the_provider_knows_every_argument(modules: Modules) -> Iterator[str]:
    for module in modules.values():
        for address, body in module.resources.items():
            kind = address.rpartition(".")[0]
            if kind in PROVIDER:
                yield from _unlike(f"{module.name} {address}", body, PROVIDER[kind])
            elif kind != "terraform_data":
                yield f"{module.name} {address} is of a kind that provider.json lacks: run read_provider.py"


def _unlike(where: str, body: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[str]:
    given = dict(inner(body))
    yield from (f"{where} has {name}, which the provider does not know" for name in sorted(given.keys() - known.keys() - META))
    needed = {
        name
        for name, type_ in known.items()
        if name not in {"!", "~"} and (type_.endswith("!") if isinstance(type_, str) else "!" in type_)
    }
    yield from (f"{where} lacks {name}" for name in sorted(needed - given.keys()))
    for name, value in given.items():
        if isinstance(known.get(name), dict):
            for block in value if isinstance(value, list) else [value]:
                yield from _unlike(f"{where}.{name}", block, known[name])


def what_is_read_of_a_resource_is_there(modules: Modules) -> Iterator[str]:
    for module in modules.values():
        for address, name in sorted(module.attributes):
            kind = address.rpartition(".")[0]
            if kind in PROVIDER and name not in {*PROVIDER[kind], *PROVIDER[kind]["~"], "id"}:
                yield f"{module.name} reads {name} of {address}, which it has not"


def what_bears_labels_has_some(modules: Modules) -> Iterator[str]:
    for module in modules.values():
        for address, body in module.resources.items():
            known = PROVIDER.get(address.rpartition(".")[0], {})
            key = "user_labels" if "user_labels" in known else "labels" if known.get("labels") == "map" else None
            if key and body.get(key) != "${var.labels}":
                yield f"{module.name} {address} has no {key}"


def what_holds_data_is_protected(modules: Modules) -> Iterator[str]:
    for name, addresses in HOLDS_DATA.items():
        for address in sorted(addresses):
            body = modules[name].resources[address]
            if not any(block.get("prevent_destroy") is True for block in body.get("lifecycle", [])):
                yield f"{name} {address} may be destroyed"
            if address.startswith("google_bigquery_dataset.") and body.get("delete_contents_on_destroy") is not False:
                yield f"{name} {address} takes its tables with it"
            if address == "google_bigquery_table.facts" and body.get("deletion_protection") is not True:
                yield f"{name} {address} has no deletion_protection"


def subscriptions_keep_messages_and_never_expire(modules: Modules) -> Iterator[str]:
    for module in modules.values():
        for name, body in of_kind(module, "google_pubsub_subscription"):
            if body.get("expiration_policy", [{}])[0].get("ttl") != '""':
                yield f"{module.name} subscription {name} expires"
            if "message_retention_duration" not in body:
                yield f"{module.name} subscription {name} has no retention of its own"


def topics_have_no_schema(modules: Modules) -> Iterator[str]:
    for module in modules.values():
        yield from (
            f"{module.name} topic {name} has a schema" for name, body in of_kind(module, "google_pubsub_topic") if "schema_settings" in body
        )


def buckets_are_closed_and_have_a_life(modules: Modules) -> Iterator[str]:
    for module in modules.values():
        for name, body in of_kind(module, "google_storage_bucket"):
            if body.get("uniform_bucket_level_access") is not True:
                yield f"{module.name} bucket {name} has access by object"
            if body.get("public_access_prevention") != '"enforced"':
                yield f"{module.name} bucket {name} may be made public"
            if not body.get("lifecycle_rule"):
                yield f"{module.name} bucket {name} has no rule of life"
            if "force_destroy" in body:
                yield f"{module.name} bucket {name} takes its objects with it"


def rights_are_single_and_small(modules: Modules) -> Iterator[str]:
    """Members are added one by one: a binding or a policy would take away what others were given."""
    for module in modules.values():
        for address, body in module.resources.items():
            kind = address.partition(".")[0]
            if kind.startswith("google_bigquery_dataset_iam"):
                yield f"{module.name} {address} takes the views' right to read tables away: google_bigquery_dataset_access"
            if kind == "google_service_account_key":
                yield f"{module.name} {address} is a key of a service account"
            if kind.endswith(("_iam_binding", "_iam_policy")):
                yield f"{module.name} {address} replaces what others were given"
            if (kind.endswith("_iam_member") or "role" in body) and not re.fullmatch(r'"roles/[\w.]+"', body.get("role", "")):
                yield f"{module.name} {address} names its role by an expression"
            if bare(body.get("role", "")) in BASIC:
                yield f"{module.name} {address} grants a basic role"
        if any(
            everybody in text for text in texts([module.resources, module.local]) for everybody in ("allUsers", "allAuthenticatedUsers")
        ):
            yield f"{module.name} grants something to everybody"


def certificates_publish_or_act_and_nothing_more(modules: Modules) -> Iterator[str]:
    """A gateway or its site may publish to the gateways' topic; a machine may act as an account. Nobody else is bound by a certificate."""
    for module in modules.values():
        for address, body in module.resources.items():
            code = {found for text in texts(body.get("member", "")) for found in expressions(text)}
            by_certificate = code & {"var.site", "var.subject"}
            publishes = ("google_pubsub_topic_iam_member", '"roles/pubsub.publisher"', "${var.topic}")
            acts = ("google_service_account_iam_member", '"roles/iam.workloadIdentityUser"', None)
            wanted = {publishes} if "var.site" in by_certificate else {publishes, acts}
            if by_certificate and (address.partition(".")[0], body.get("role"), body.get("topic")) not in wanted:
                yield f"{module.name} {address} gives a certificate more than it may"


def what_holds_data_takes_a_key_of_ones_own(modules: Modules) -> Iterator[str]:
    """Topics, buckets and datasets are encrypted under the key of the settings, if one is named."""
    arguments = {
        "google_pubsub_topic": "kms_key_name",
        "google_storage_bucket": "encryption",
        "google_bigquery_dataset": "default_encryption_configuration",
    }
    for module in modules.values():
        for kind, argument in arguments.items():
            for name, body in of_kind(module, kind):
                if argument not in dict(inner(body)):
                    yield f"{module.name} {kind}.{name} takes no key of one's own"


POLICIES: tuple[Callable[[Modules], Iterator[str]], ...] = (
    everything_is_described,
    everything_is_used,
    every_reference_leads_somewhere,
    every_call_gives_what_is_asked,
    every_output_of_a_module_is_asked_for,
    the_provider_knows_every_argument,
    what_is_read_of_a_resource_is_there,
    what_bears_labels_has_some,
    what_holds_data_is_protected,
    what_holds_data_takes_a_key_of_ones_own,
    subscriptions_keep_messages_and_never_expire,
    topics_have_no_schema,
    buckets_are_closed_and_have_a_life,
    rights_are_single_and_small,
    certificates_publish_or_act_and_nothing_more,
)
