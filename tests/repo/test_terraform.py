"""What terraform makes is what the code uses: topics, subscriptions, databases, indexes, variables."""

from __future__ import annotations

import json
import re
from typing import get_args

import pytest

from scripts import cloud
from services.all_in_one import EGRESS
from services.scheduler.adapters.cloud_scheduler import NAME
from shared.events import catalog
from shared.events.routing import subscriptions
from shared.runtime.profiles import READS
from shared.runtime.pushes import EVENTS, HEALTH
from shared.runtime.settings import variable_names
from shared.store.indexes import composite
from shared.telemetry.metrics import METRICS
from tests.repo.deployed import TERRAFORM, text, told
from tests.repo.hcl import block, names, value, words
from tests.repo.tree import ROOT, SERVICES, under

# Settings that no deployed service is given, with the reason.
NOT_DEPLOYED = {
    "AB_EGRESS_ALLOW_PRIVATE": "refused there",
    "AB_TICK_S": "Cloud Scheduler ticks",
    "AB_OTLP_ENDPOINT": "Google's own",
    "AB_CLOUD_SCHEDULER_HOST": "Google's own",
    "AB_PUSH_CERTIFICATES": "Google's own; refused there",
    "AB_DISORDER": "a drill of one machine",
    "DOCKER_HOST": "no Docker",
    "ANTHROPIC_API_KEY": "people connect their own; the operator's pays for nobody (decision 29)",
    "AB_MODEL_SILENCE_S": "the default is the provider's",
    "FIRESTORE_EMULATOR_HOST": "no emulator",
    "PUBSUB_EMULATOR_HOST": "no emulator",
    "STORAGE_EMULATOR_HOST": "no emulator",
    "AB_CLOUD_RUN_HOST": "no stand-in",
    "AB_KMS_HOST": "no stand-in",
}


def everything() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(TERRAFORM.rglob("*.tf")))


def test_terraform_reads_what_the_code_says_now() -> None:
    assert (ROOT / "docs" / "events.json").read_text(encoding="utf-8") == cloud.events()
    assert (ROOT / "docs" / "databases.json").read_text(encoding="utf-8") == cloud.databases()
    found = block(text("main.tf"), "locals")
    assert value(found, "code") == 'jsondecode(file("${path.module}/../docs/events.json"))'
    assert value(found, "databases") == 'jsondecode(file("${path.module}/../docs/databases.json"))'


def test_what_terraform_reads_names_every_topic_sender_and_reader() -> None:
    said = json.loads(cloud.events())
    topics = {
        topic: {name for kind in catalog.TYPES.values() if kind.topic() == topic for name in kind.producers}
        for topic in catalog.topics()
    }
    assert {topic: set(found["publishers"]) for topic, found in said["topics"].items()} == topics
    read = {
        service: tuple(topic for topic in sorted(topics) if service in said["topics"][topic]["subscribers"])
        for service in SERVICES
    }
    assert read == subscriptions()


def test_what_terraform_reads_names_every_database_and_who_looks_in() -> None:
    said = json.loads(cloud.databases())
    assert set(said) == set(SERVICES)
    looks_in = {
        name: tuple(sorted(other for other in said if name in said[other]["readers"])) for name in SERVICES
    }
    assert looks_in == {name: tuple(sorted(others)) for name, others in READS.items()}


def test_a_field_without_its_own_index_is_asked_for_in_others_only() -> None:
    for service, said in json.loads(cloud.databases()).items():
        for collection, fields in said["unindexed"].items():
            alone = [
                query
                for query in cloud.declared()[service]
                if query.collection == collection and query.order_by in fields and composite(query) is None
            ]
            assert alone == []
    made = block(text("modules/database/main.tf"), 'resource "google_firestore_field" "unindexed"')
    assert "for collection, fields in var.unindexed" in made
    assert value(block(text("databases.tf"), 'module "database"'), "unindexed") == "each.value.unindexed"


def test_names_are_those_the_code_uses() -> None:
    from shared.bus.pubsub import topic_path
    from shared.runtime.profiles.google import bucket

    topic = text("modules/topic/main.tf")
    pattern = words(value(block(topic, 'resource "google_pubsub_topic" "this"'), "name")).pop()
    assert topic_path("p", "run").endswith("/" + pattern.replace("${var.name}", "run"))

    push = block(topic, 'resource "google_pubsub_subscription" "push"')
    assert value(push, "name") == '"${var.name}.${each.key}"'  # read in shared/bus/push.py
    assert value(push, "push_endpoint") == f'"${{each.value.url}}{EVENTS}"'

    assert value(block(text("databases.tf"), 'module "database"'), "name") == "each.key"
    made = words(value(block(text("blobs.tf"), 'resource "google_storage_bucket" "blobs"'), "name")).pop()
    assert made.replace("${var.project}", "p") == bucket("p")
    assert f'path = "{HEALTH}"' in text("modules/service/main.tf")


@pytest.mark.parametrize(
    ("file", "header", "over"),
    [
        ("topics.tf", 'module "topic"', "local.code.topics"),
        ("topics.tf", 'resource "google_pubsub_topic" "dead"', "local.services"),
        ("databases.tf", 'module "database"', "local.databases"),
        ("services.tf", 'module "service"', "local.services"),
        ("accounts.tf", 'resource "google_service_account" "service"', "local.services"),
        ("accounts.tf", 'resource "google_service_account" "push"', "local.services"),
        ("modules/topic/main.tf", 'resource "google_pubsub_topic_iam_member" "publisher"', "var.publishers"),
        ("modules/topic/main.tf", 'resource "google_pubsub_subscription" "push"', "var.subscribers"),
        ("modules/database/main.tf", 'resource "google_project_iam_member" "reader"', "var.readers"),
        ("modules/database/main.tf", 'resource "google_firestore_field" "expiring"', "var.expiring"),
    ],
)
def test_terraform_goes_through_the_whole_list(file: str, header: str, over: str) -> None:
    assert value(block(text(file), header), "for_each") == over


def test_only_the_topics_own_senders_may_publish() -> None:
    given = block(text("topics.tf"), 'module "topic"')
    assert "for name in each.value.publishers : name => local.publishers[name]" in given
    others = set(re.findall(r"local\.publishers\.(\w+)", everything()))
    assert others == {"gateway"}  # replay_everywhere, off by default
    assert value(block(text("variables.tf"), 'variable "replay_everywhere"'), "default") == "false"
    assert everything().count('"roles/pubsub.publisher"') == 2  # these, and Pub/Sub itself for dead letters


def test_every_setting_is_given_to_a_service_or_left_out_for_a_reason() -> None:
    known = set(variable_names().values())
    given = {name for service in (*SERVICES, EGRESS) for name in told(service)}

    assert given - known == set()
    assert known - given == set(NOT_DEPLOYED)


def test_no_file_of_terraform_names_a_variable_that_is_none() -> None:
    named = set(re.findall(r"\b(?:AB|ANTHROPIC)_[A-Z_]+\b", everything()))
    assert named - set(variable_names().values()) == set()


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_each_service_has_a_size(environment: str) -> None:
    assert names(block(text(f"env/{environment}.tfvars"), "services =")) == set(SERVICES)


def test_each_key_is_there_and_is_given_to_who_wraps_and_unwraps_with_it() -> None:
    from shared.runtime.profiles.engines import DERIVES, KEYS
    from shared.vault.keyring import Ring
    from shared.vault.kms import KEY_RING, key_ring, signing_key

    assert (ROOT / "docs" / "keys.json").read_text(encoding="utf-8") == cloud.keys()
    found = block(text("main.tf"), "locals")
    assert value(found, "keys") == 'jsondecode(file("${path.module}/../docs/keys.json"))'
    said = json.loads(cloud.keys())
    assert set(said["rings"]) == set(get_args(Ring))
    assert said["rings"]["secrets"]["unwrap"] == ["executor-egress", "gateway"]
    assert said["rings"]["connections"] == {"wrap": ["gateway"], "unwrap": ["gateway", "planner"]}
    assert {signing_key(purpose) for purpose in ("run tokens", "fingerprints")} == set(DERIVES)
    assert {name for names in said["signers"].values() for name in names} == set(KEYS)

    assert (
        value(block(text("secrets.tf"), 'resource "google_kms_key_ring" "this"'), "name") == f'"{KEY_RING}"'
    )
    assert key_ring("p", "r") == f"projects/p/locations/r/keyRings/{KEY_RING}"
    keys = text("keys.tf")
    assert value(block(keys, 'resource "google_kms_crypto_key" "ring"'), "for_each") == "local.keys.rings"
    assert value(block(keys, 'resource "google_kms_crypto_key" "signer"'), "for_each") == "local.keys.signers"
    roles = {
        name: value(block(keys, f'resource "google_kms_crypto_key_iam_member" "{name}"'), "role")
        for name in ("wrap", "unwrap", "sign", "executor_secrets")
    }
    assert roles == {
        "wrap": '"roles/cloudkms.cryptoKeyEncrypter"',
        "unwrap": '"roles/cloudkms.cryptoKeyDecrypter"',
        "sign": '"roles/cloudkms.signer"',
        "executor_secrets": '"roles/cloudkms.cryptoKeyDecrypter"',
    }


def test_executor_egress_is_started_as_the_code_starts_it_and_told_only_settings_that_are_some() -> None:
    from services.executor.egress.front import HEALTH as EGRESS_HEALTH

    made = block(text("runner.tf"), 'resource "google_cloud_run_v2_service" "egress"')
    assert value(made, "command") == f'["python", "-m", "services.all_in_one", "serve", "--only", "{EGRESS}"]'
    assert value(made, "name") == f'"ab-{EGRESS}"'
    assert f'path = "{EGRESS_HEALTH}"' in made
    everywhere = {"AB_PROFILE", "AB_GCP_PROJECT", "AB_GCP_REGION", "AB_DATA_DIR", "AB_LISTEN"}
    assert set(told(EGRESS)) == everywhere | {"AB_PLANNER_URL", "AB_PACKAGE_INDEX"}


def test_executor_egress_may_ask_the_planner_and_is_told_where_it_is() -> None:
    made = block(text("runner.tf"), 'resource "google_cloud_run_v2_service" "egress"')
    assert re.search(r'name  = "AB_PLANNER_URL"\s+value = local\.urls\.planner\n', made)
    invokes = re.findall(
        r'resource "google_cloud_run_v2_service_iam_member" "(\w+)" \{[^}]*google_service_account\.egress',
        everything(),
    )
    assert invokes == ["model"]
    granted = block(text("runner.tf"), 'resource "google_cloud_run_v2_service_iam_member" "model"')
    assert value(granted, "name") == 'module.service["planner"].name'
    assert value(granted, "role") == '"roles/run.invoker"'


def test_only_a_service_that_the_public_may_not_call_believes_a_token_whose_signature_was_cut_off() -> None:
    made = block(text("services.tf"), 'module "service"')
    assert value(made, "public") == 'each.key == "gateway"'
    assert value(made, "AB_PUSH_CHECKED") == 'each.key == "gateway" ? "" : "true"'
    open_to_all = block(
        text("modules/service/main.tf"), 'resource "google_cloud_run_v2_service_iam_member" "everybody"'
    )
    assert value(open_to_all, "count") == "var.public ? 1 : 0"
    assert everything().count('"allUsers"') == 1


def test_whoever_runs_may_tell_the_operator_about_itself() -> None:
    told = block(text("accounts.tf"), 'resource "google_project_iam_member" "telemetry"')
    everybody = 'concat(tolist(local.services), ["executor-egress"])'
    assert f'for pair in setproduct({everybody}, ["tracesWriter", "metricsWriter"])' in told
    assert value(told, "member") == "local.holders[each.value.service]"


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_planner_holds_a_question_for_as_long_as_it_may_take(environment: str) -> None:
    from services.planner.endpoint.metered import STREAM_S
    from shared.runtime.gunicorn_server import THREADS

    size = value(block(text(f"env/{environment}.tfvars"), "services ="), "planner")
    said = re.search(r"concurrency = (\d+), timeout_s = (\d+)", size)
    assert said is not None
    assert int(said[2]) > STREAM_S
    assert int(said[1]) < THREADS  # events, probes


def test_who_writes_files_writes_them_below_their_own_name() -> None:
    key = re.compile(r'f"(\w+)/(?:uploads|looks|bundles|files|facts|texts|state|artifacts|tapes)/')
    written = {
        (source.name.split("/")[1], prefix)
        for source in under("services")
        for prefix in key.findall(source.text)
    }
    allowed = words(value(block(text("blobs.tf"), "locals"), "with_blobs"))

    assert {service for service, _ in written} == allowed
    assert all(service == prefix for service, prefix in written)


def test_the_accounts_of_jobs_may_knock_at_two_doors_and_nothing_else() -> None:
    jobs = block(text("runner.tf"), "jobs = var.cloud_sandbox ?")
    accounts = {"runner", "builder"}
    assert {name: value(jobs, name) for name in accounts} == {
        name: f"google_service_account.{name}.member" for name in accounts
    }
    for name in accounts:
        uses = re.findall(rf"google_service_account\.{name}\.(\w+)", everything())
        assert sorted(uses) == ["email", "member"], "its job, and the list of those who may knock"
    granted = re.findall(
        r'resource "google_\w+_iam_member" "(\w+)" \{\s+for_each = local\.jobs\b', everything()
    )
    assert everything().count("local.jobs") == len(granted)
    assert set(granted) == {"run_api", "runs"}
    doors = set()
    for name in granted:
        found = block(text("runner.tf"), f'resource "google_cloud_run_v2_service_iam_member" "{name}"')
        assert value(found, "role") == '"roles/run.invoker"'
        doors.add(value(found, "name"))
    assert doors == {'module.service["executor"].name', "google_cloud_run_v2_service.egress[0].name"}


def test_whoever_is_the_way_out_of_runs_reaches_the_planner() -> None:
    asks = block(text("runner.tf"), 'resource "google_cloud_run_v2_service_iam_member" "model"')
    assert value(asks, "name") == 'module.service["planner"].name'
    assert words(value(asks, "member")) == {"executor"}
    assert re.fullmatch(
        r"var\.cloud_sandbox \? google_service_account\.egress\.member : .+", value(asks, "member")
    )
    made = block(text("services.tf"), 'module "service"')
    assert value(made, "vpc") == 'each.key == "executor" && !var.cloud_sandbox ? module.network.runner : null'
    foot = block(text("modules/service/main.tf"), 'dynamic "vpc_access"')
    assert value(foot, "egress") == '"PRIVATE_RANGES_ONLY"', "the internet is not reached from that network"
    settings = block(block(text("services.tf"), "settings ="), "executor =")
    assert value(settings, "AB_PLANNER_URL") == "local.urls.planner"


def test_packages_have_a_job_that_no_run_is_an_execution_of() -> None:
    from services.executor.adapters.shapes import PACKAGES

    made = block(text("runner.tf"), 'module "builder"')
    assert value(made, "name") == f'"{PACKAGES}"'
    assert value(made, "account") == "google_service_account.builder.email"
    assert PACKAGES not in names(block(text("env/prod.tfvars"), "shapes ="))
    settings = block(text("runner.tf"), 'resource "google_cloud_run_v2_service" "egress"')
    assert 'name  = "AB_PACKAGE_INDEX"\n        value = var.package_index' in settings
    assert '["executor/incoming/"]' in text("blobs.tf")


def test_jobs_are_named_and_described_as_the_executor_reads_them() -> None:
    from services.executor.adapters.shapes import JOB, read

    pattern = words(
        value(block(text("modules/runner/main.tf"), 'resource "google_cloud_run_v2_job" "this"'), "name")
    )
    assert pattern == {JOB.format("${var.name}")}
    written = value(block(block(text("services.tf"), "settings ="), "executor ="), "AB_RUN_SHAPES")
    entry = re.search(r': "(.+)"\]\)$', written)
    assert entry is not None
    one = entry[1].replace("${name}", "512mb-gateway").replace("${shape.network}", "gateway")
    (shape,) = read(one.replace("${shape.memory_mb}", "512"))
    assert (shape.job, shape.memory_mb, shape.network) == ("ab-run-512mb-gateway", 512, "gateway")


def test_a_container_has_room_for_more_than_its_run() -> None:
    shapes = block(text("env/prod.tfvars"), "shapes =")
    for name in names(shapes):
        said = re.search(r'memory = "(\d+)Gi", memory_mb = (\d+),', value(shapes, name))
        assert said is not None
        assert int(said[1]) * 1024 - int(said[2]) >= 512, name
        assert name.startswith(f"{said[2]}mb-")


def test_the_alert_for_a_missing_tick_names_the_job_that_is_made() -> None:
    assert NAME in block(text("alerts.tf"), "tick =")


def test_each_alert_has_one_condition_of_a_kind_that_is_made() -> None:
    alerts = block(text("alerts.tf"), "alerts =")
    kinds = re.findall(r"^      (over|query|silent) +=", alerts, re.MULTILINE)
    assert len(kinds) == len(re.findall(r"^      says +=", alerts, re.MULTILINE)) == len(names(alerts))
    made = block(text("alerts.tf"), 'resource "google_monitoring_alert_policy" "this"')
    assert value(made, "for_each") == "local.alerts"
    assert set(re.findall(r"try\(\[each\.value\.(\w+)\]", made)) == set(kinds) == {"over", "query", "silent"}


def test_alerts_ask_for_numbers_that_are_counted() -> None:
    queries = "\n".join(re.findall(r"^ +query += (.+)$", text("alerts.tf"), re.MULTILINE))
    counters = {name: set(metric.labels) for name, metric in METRICS.items() if metric.kind == "counter"}
    asked = set(re.findall(r"\bab_[a-z_]+", queries))
    assert asked == asked & set(counters)
    assert "ab_model_cost_usd_micros_total" in asked
    for name, labels in re.findall(r"\b(ab_[a-z_]+)\{([^}]*)\}", queries):
        assert set(re.findall(r"(\w+)!?=", labels)) <= counters[name]
    for label, name in re.findall(r"by \((\w+)\) \(increase\((ab_[a-z_]+)", queries):
        assert label in counters[name]
