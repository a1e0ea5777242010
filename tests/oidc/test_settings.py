"""What an installation says of its identity provider: complete or not at all, and what cannot be used is told at the start."""

import pytest

import config
from portal.domain.people import Level

COMPLETE = {"OIDC_ISSUER": "https://id.example.test/realms/acme", "OIDC_CLIENT_ID": "cco-portal", "OIDC_CLIENT_SECRET": "not told"}


def test_the_levels_of_the_settings_are_those_of_people():
    assert list(config.LEVELS) == [str(level) for level in Level]


def test_issuer_client_and_secret_are_enough():
    assert config.load(COMPLETE).OIDC_ISSUER == "https://id.example.test/realms/acme"


def test_the_secret_may_be_a_file_and_is_not_shown(tmp_path):
    (tmp_path / "secret").write_text("of the file\n")
    settings = config.load(COMPLETE | {"OIDC_CLIENT_SECRET_FILE": str(tmp_path / "secret")})

    assert settings.OIDC_CLIENT_SECRET == "of the file"
    assert "of the file" not in repr(settings)


@pytest.mark.parametrize("missing", COMPLETE)
def test_a_part_of_them_is_not_enough(missing):
    with pytest.raises(config.ConfigError, match=f"also needs {missing}. Set all three"):
        config.load({name: value for name, value in COMPLETE.items() if name != missing})


def test_levels_by_group_without_a_provider_are_a_mistake():
    with pytest.raises(config.ConfigError, match="also needs OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET"):
        config.load({"OIDC_LEVELS": "finance=Standard"})


@pytest.mark.parametrize(
    "issuer",
    ["http://id.example.test", "id.example.test", "https://id.example.test?x=1", "https://id.example.test/#x", "http://127.0.0.1.evil:80"],
)
def test_an_issuer_without_https_is_refused_unless_it_is_this_machine(issuer):
    with pytest.raises(config.ConfigError, match="OIDC_ISSUER: must start with https://"):
        config.load(COMPLETE | {"OIDC_ISSUER": issuer})


@pytest.mark.parametrize("issuer", ["https://acme.example.test/", "http://127.0.0.1:9000/o", "http://localhost:9000"])
def test_an_issuer_stays_as_it_names_itself(issuer):
    assert issuer == config.load(COMPLETE | {"OIDC_ISSUER": issuer}).OIDC_ISSUER


def test_groups_are_read_with_their_levels():
    levels = config.load(COMPLETE | {"OIDC_LEVELS": " /finance = Standard, cn=admins=Admin ,auditors=Read Only,"}).levels_by_group

    assert levels == {"/finance": "Standard", "cn=admins": "Admin", "auditors": "Read Only"}


@pytest.mark.parametrize("levels", ["finance", "finance=Boss", "=Admin", "finance=standard", "finance=Standard;admins=Admin"])
def test_levels_that_are_none_are_refused(levels):
    with pytest.raises(config.ConfigError, match="is not GROUP=LEVEL with one of the levels None, Read Only, Standard, Admin"):
        config.load(COMPLETE | {"OIDC_LEVELS": levels})
