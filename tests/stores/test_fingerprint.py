"""A key of everything that a result follows from."""

import torch

from wsss_core.stores import fingerprint


def test_settings_and_inputs_make_the_key(tmp_path):
    (tmp_path / "labels").write_text("one")
    before = fingerprint({"a": 1}, tmp_path / "labels")
    assert before == fingerprint({"a": 1}, tmp_path / "labels") != fingerprint({"a": 2}, tmp_path / "labels")
    (tmp_path / "labels").write_text("two")
    assert before != fingerprint({"a": 1}, tmp_path / "labels")


def test_half_a_result_of_another_machine_is_not_continued(monkeypatch):
    keys = set()
    for there in (False, True):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        keys.add(fingerprint({}))
    assert len(keys) == 2
    before = fingerprint({})
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert before != fingerprint({})


def test_another_torch_is_another_key(monkeypatch):
    before = fingerprint({})
    monkeypatch.setattr(torch, "__version__", "0.0")
    assert before != fingerprint({})
