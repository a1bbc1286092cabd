"""Settings come from named variables; what does not fit is refused by name, what is unknown is said."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from shared.errors import Misconfigured
from shared.runtime.settings import Settings, from_environment, variable_names

EMULATORS = {
    "FIRESTORE_EMULATOR_HOST": "127.0.0.1:1",
    "PUBSUB_EMULATOR_HOST": "127.0.0.1:2",
    "STORAGE_EMULATOR_HOST": "http://127.0.0.1:3",
}
STANDARD = Settings.model_validate({})
PUSHED = {
    "AB_PUSH_ACCOUNT": "push@p.iam.gserviceaccount.com",
    "AB_PUSH_AUDIENCE": "https://ledger.example.com",
}
CLOUD = {"AB_PROFILE": "gcp", "AB_GCP_PROJECT": "p", **PUSHED}


def test_nothing_said_means_this_machine_and_the_documented_values() -> None:
    settings = from_environment({"PATH": "/bin"})
    assert settings == STANDARD
    assert (settings.profile, settings.port, settings.data_dir) == ("embedded", 8080, Path("data"))
    assert settings.one_machine
    assert settings.loopback_only


def test_every_setting_is_read_from_its_variable() -> None:
    said = {
        "AB_PORT": "9000",
        "AB_DATA_DIR": "/srv/data",
        "AB_TICK_S": "0.5",
        "AB_MONTH_TOKENS": "7",
        "AB_PUBLIC_URL": "https://agents.example.com",
        "ANTHROPIC_API_KEY": "k",
    }
    settings = from_environment(said)
    assert (settings.port, settings.tick_s, settings.month_tokens) == (9000, 0.5, 7)
    assert settings.data_dir == Path("/srv/data")
    assert not settings.loopback_only
    assert settings.anthropic_api_key == "k"


def test_every_variable_has_a_prefix_or_is_known_to_others_and_a_description() -> None:
    for field, variable in variable_names().items():
        assert variable.startswith(("AB_", "DOCKER_", "ANTHROPIC_", "FIRESTORE_", "PUBSUB_", "STORAGE_")), (
            variable
        )
        assert Settings.model_fields[field].description, field


def test_an_empty_variable_is_one_that_was_not_said() -> None:
    assert from_environment({"AB_PORT": "", "AB_TICK_S": ""}) == STANDARD


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AB_PORT", "eighty"),
        ("AB_PORT", "65536"),
        ("AB_PROFILE", "aws"),
        ("AB_TICK_S", "0"),
        ("AB_MONTH_TOKENS", "-1"),
        ("AB_SANDBOX", "none"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_the_variables_name(variable: str, value: str) -> None:
    with pytest.raises(Misconfigured) as error:
        from_environment({variable: value})
    assert variable in error.value.detail
    assert "docs/settings.md" in error.value.detail


def test_an_unknown_variable_of_ours_is_named_and_others_are_left_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        from_environment({"AB_PROT": "9000", "ABLE": "yes"})
    assert "AB_PROT" in caplog.text
    assert "ABLE" not in caplog.text


@pytest.mark.parametrize("missing", [None, *EMULATORS])
def test_only_all_three_emulators_make_the_cloud_one_machine(missing: str | None) -> None:
    said = {**CLOUD, **{name: value for name, value in EMULATORS.items() if name != missing}}
    settings = from_environment(said)
    assert settings.emulated == settings.one_machine == (missing is None)


def test_private_addresses_are_never_opened_in_the_cloud() -> None:
    opened = {"AB_EGRESS_ALLOW_PRIVATE": "127.0.0.1:1"}
    with pytest.raises(Misconfigured, match="AB_EGRESS_ALLOW_PRIVATE"):
        from_environment({**CLOUD, **opened})
    assert from_environment(opened).egress_allow_private
    assert from_environment({**CLOUD, **opened, **EMULATORS}).egress_allow_private


def test_in_the_cloud_events_are_pushed() -> None:
    assert from_environment(CLOUD).pushed


def test_emulators_push_where_somebody_is_named_who_may() -> None:
    nobody = {name: value for name, value in CLOUD.items() if name not in PUSHED}
    assert not from_environment({**nobody, **EMULATORS}).pushed
    pushed = from_environment({**CLOUD, **EMULATORS})
    assert (pushed.pushed, pushed.one_machine) == (True, True)


def test_other_keys_than_googles_count_only_on_emulators() -> None:
    ours = {"AB_PUSH_CERTIFICATES": "http://127.0.0.1:1/certificates"}
    with pytest.raises(Misconfigured, match="AB_PUSH_CERTIFICATES"):
        from_environment({**CLOUD, **ours})
    with pytest.raises(Misconfigured, match="AB_PUSH_CERTIFICATES"):
        from_environment(ours)
    assert from_environment({**CLOUD, **EMULATORS, **ours}).push_certificates


def test_a_server_for_others_says_under_which_address() -> None:
    opened = {"AB_LISTEN": "10.1.2.3"}
    with pytest.raises(Misconfigured, match="AB_PUBLIC_URL"):
        from_environment(opened)
    assert from_environment({**opened, "AB_PUBLIC_URL": "https://a.example.com"}).listen == "10.1.2.3"
    assert from_environment({**opened, **CLOUD}).listen == "10.1.2.3"


def test_settings_do_not_change_once_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        setattr(STANDARD, "port", 1)  # noqa: B010 - mypy knows it is frozen, too
