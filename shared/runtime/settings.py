"""Every setting, read from `AB_*` variables in one place; the only module that looks at the environment."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import Misconfigured


class Settings(BaseModel):
    """One value object for the whole process. Field descriptions become docs/settings.md."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: Literal["embedded", "gcp"] = Field(
        "embedded", description="Which engines: this machine's, or Google's."
    )
    port: int = Field(
        8080, ge=0, le=65535, description="Where the page and the API answer, on AB_LISTEN. 0: any free port."
    )
    listen: str = Field(
        "127.0.0.1",
        description="Address to listen on. Another than 127.0.0.1 is for containers, and on one machine needs "
        "AB_PUBLIC_URL.",
    )
    data_dir: Path = Field(
        Path("data"), description="Folder of databases, files and keys; made with mode 0700."
    )
    public_url: str = Field("", description="The address people use, when it is not a loopback one.")
    files_url: str = Field(
        "",
        description="Another name of the same server, for the files that runs make, so that nothing in them is "
        "ever in the page's origin. Empty: http://files.localhost on this machine; with a public address: none, "
        "and files are only ever saved, never shown.",
    )
    owner_token: str = Field("", description="Fixes the owner's bearer token; empty: only sign-in links.")
    egress_allow_private: str = Field(
        "",
        description="host:port pairs, comma-separated: private places that agents and deliveries may reach. For tests.",
    )
    sandbox: Literal["auto", "bubblewrap", "docker", "gvisor", "cloud_run"] = Field(
        "auto",
        description="Which sandbox backend. auto: bubblewrap, and Docker where that does not work; another one is "
        "used only when named here. cloud_run: each run is an execution of a Cloud Run Job, and what the platform "
        "itself runs stays in bubblewrap.",
    )
    run_shapes: str = Field(
        "",
        description="For cloud_run: its jobs as name:memory_mb:network, comma-separated. network: gateway or none; the "
        "job is called ab-run-<name>.",
    )
    run_api_url: str = Field("", description="For cloud_run: where its jobs reach the executor.")
    egress_url: str = Field(
        "",
        description="For cloud_run: where its jobs reach executor-egress. Empty: jobs and executor share this machine.",
    )
    planner_url: str = Field(
        "",
        description="Where executor-egress reaches the planner, which running agents ask for a model. Empty: at a "
        "socket in AB_DATA_DIR.",
    )
    docker_host: str = Field(
        "", description="Docker's socket (DOCKER_HOST), a unix:// address; empty: /var/run/docker.sock."
    )
    package_index: str = Field(
        "",
        description="Address of the package index's simple pages. Empty: UV_DEFAULT_INDEX, UV_INDEX_URL or "
        "PIP_INDEX_URL, else the one uv uses by itself.",
    )
    package_cache_gb: float = Field(
        10, gt=0, description="Disk space for packages, in GB; what was used longest ago goes first."
    )
    warm_mb: int = Field(
        512,
        ge=0,
        description="Memory that sandboxes kept ready for agents which run often may hold together, in MB. "
        "0: every run starts from nothing.",
    )
    planner: Literal["auto", "claude", "recipes"] = Field("auto", description="Which planner engine.")
    anthropic_api_key: str = Field("", description="Key for Claude (ANTHROPIC_API_KEY).")
    anthropic_base_url: str = Field(
        "", description="Another server that speaks the Messages API (ANTHROPIC_BASE_URL)."
    )
    model: str = Field(
        "claude-opus-5-5",
        description="Model id the Claude planner asks for; any text. The default is the one "
        "anthropic 2.12.0's own examples use (November 2026).",
    )
    model_silence_s: float = Field(
        120,
        gt=0,
        description="Seconds of silence after which a call to Claude is given up. Its server sends a sign of life "
        "while it thinks.",
    )
    tick_s: float = Field(5.0, gt=0, description="Seconds between ticks on one machine.")
    disorder: int = Field(
        0, description="Not 0: deliver events doubled, late and shuffled with this seed. A drill."
    )
    gcp_project: str = Field("", description="Google Cloud project (profile gcp).")
    gcp_region: str = Field(
        "",
        description="Google Cloud region of what is made at deploy: the tick, the keys, and the jobs that runs are.",
    )
    push_account: str = Field(
        "", description="E-mail address of the one account that may push events here (profile gcp, deployed)."
    )
    push_audience: str = Field(
        "", description="What the tokens of pushed events must be made out to (profile gcp, deployed)."
    )
    push_checked: bool = Field(
        False,
        description="Cloud Run checks the tokens of whoever calls here, and cuts their signatures off: so everywhere "
        "but where the public may call (profile gcp, deployed).",
    )
    push_certificates: str = Field(
        "",
        description="Address of the certificates that tokens of pushed events are checked with; empty: Google's. On "
        "emulators only.",
    )
    kms_host: str = Field(
        "",
        description="A stand-in for Cloud KMS, host:port; empty: Google's, or on emulators the file vault.key in "
        "AB_DATA_DIR.",
    )
    firestore_emulator_host: str = Field("", description="Firestore's emulator, host:port (profile gcp).")
    pubsub_emulator_host: str = Field("", description="Pub/Sub's emulator, host:port (profile gcp).")
    storage_emulator_host: str = Field(
        "", description="Cloud Storage's stand-in, http://host:port (profile gcp)."
    )
    cloud_scheduler_host: str = Field(
        "", description="Cloud Scheduler's stand-in, host:port; empty: Google's."
    )
    cloud_run_host: str = Field("", description="Cloud Run Jobs' stand-in, host:port; empty: Google's.")
    otlp_endpoint: str = Field(
        "",
        description="Address of an OpenTelemetry collector (OTLP over HTTP, without /v1/…) that traces and numbers go "
        "to. Empty: nowhere; in profile gcp, deployed: Google's own.",
    )
    trace_share: float = Field(
        1.0,
        ge=0,
        le=1,
        description="How many of the traces begun here are recorded, 0 to 1, where they go anywhere.",
    )
    month_tokens: int = Field(2_000_000, ge=0, description="Tokens a workspace may spend in a month.")

    @property
    def loopback_only(self) -> bool:
        return not self.public_url

    @property
    def emulated(self) -> bool:
        """Profile gcp on this machine's emulators. Google's clients read the same three variables themselves."""
        emulators = (self.firestore_emulator_host, self.pubsub_emulator_host, self.storage_emulator_host)
        return self.profile == "gcp" and all(emulators)

    @property
    def one_machine(self) -> bool:
        """Nobody works on the data but the processes started on this machine."""
        return self.profile == "embedded" or self.emulated

    @property
    def pushed(self) -> bool:
        """As deployed: events come as requests of Pub/Sub's, so every service listens; ticks are Cloud Scheduler's; a
        service may have several instances. On emulators only where somebody is named who may push."""
        return self.profile == "gcp" and not (self.emulated and not self.push_account)


class RunnerSettings(BaseModel):
    """What the executor tells the process it starts elsewhere, in the execution's own variables."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_api_url: str = Field(min_length=1)
    attempt_token: str = Field(min_length=1)
    attempt: str = Field(min_length=1)
    data_dir: Path = Path("/tmp")  # noqa: S108 - a container's own


log = logging.getLogger(__name__)

_PLAIN = {
    "docker_host": "DOCKER_HOST",
    "anthropic_api_key": "ANTHROPIC_API_KEY",
    "anthropic_base_url": "ANTHROPIC_BASE_URL",
    "firestore_emulator_host": "FIRESTORE_EMULATOR_HOST",
    "pubsub_emulator_host": "PUBSUB_EMULATOR_HOST",
    "storage_emulator_host": "STORAGE_EMULATOR_HOST",
}
# Where the usual installers look, in uv's order.
_INDEXES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")


def variable_names() -> dict[str, str]:
    """Field -> the variable it is read from."""
    return {field: _PLAIN.get(field, f"AB_{field.upper()}") for field in Settings.model_fields}


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """Raises Misconfigured naming the variable and what it should be. Unknown AB_* variables are named in a warning."""
    source = os.environ if environment is None else environment
    names = {name: field for field, name in variable_names().items()}
    unknown = [name for name in source if name.startswith("AB_") and name not in names]
    if unknown:
        log.warning(
            "%s is no setting of Agent Builder and is ignored; see docs/settings.md", ", ".join(unknown)
        )
    values = {field: source[name] for name, field in names.items() if source.get(name)}
    index = next((source[name] for name in _INDEXES if source.get(name)), "")
    values.setdefault("package_index", index)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        raise Misconfigured(f"{variable_names()[field]}: {first['msg']}; see docs/settings.md.") from error
    if settings.egress_allow_private and not settings.one_machine:
        raise Misconfigured("AB_EGRESS_ALLOW_PRIVATE is for tests on one machine; unset it here.")
    if settings.push_certificates and not settings.emulated:
        raise Misconfigured("AB_PUSH_CERTIFICATES is for emulators; unset it here.")
    if settings.one_machine and settings.listen != "127.0.0.1" and not settings.public_url:
        raise Misconfigured(
            "AB_LISTEN opens this server to others: say under which address, in AB_PUBLIC_URL."
        )
    return settings


def runner_from_environment(environment: Mapping[str, str] | None = None) -> RunnerSettings:
    """Raises Misconfigured: it was not started by an executor."""
    source = os.environ if environment is None else environment
    names = {f"AB_{field.upper()}": field for field in RunnerSettings.model_fields}
    try:
        return RunnerSettings.model_validate(
            {field: source[name] for name, field in names.items() if source.get(name)}
        )
    except ValidationError as error:
        missing = f"AB_{str(error.errors()[0]['loc'][0]).upper()}"
        raise Misconfigured(
            f"{missing} is not set: only an executor starts this, for one attempt."
        ) from error
