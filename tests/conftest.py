"""A project as `wsss init` finds it."""

import pytest


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "stages").mkdir()
    (tmp_path / "dvc.yaml").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path
