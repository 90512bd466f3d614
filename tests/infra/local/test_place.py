"""What the environment says of a local run."""

import pytest

from infra.local.place import BadPlace, environment, place


def test_a_run_never_sees_the_shells_own_aws_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
    seen = environment(place(), "secret")
    assert "AWS_PROFILE" not in seen
    assert "AWS_SESSION_TOKEN" not in seen
    assert seen["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")


@pytest.mark.parametrize("port", ["x", "0", "70000", "-1"])
def test_a_port_that_is_none_is_refused_by_its_variables_name(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("CHASQUI_API_PORT", port)
    with pytest.raises(BadPlace, match="CHASQUI_API_PORT"):
        place()


def test_an_unknown_backend_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKEND", "cloud")
    with pytest.raises(BadPlace, match="moto, ministack"):
        place()
