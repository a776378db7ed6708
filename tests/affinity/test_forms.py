"""Which form of the scans is taken, and that the Triton form is taken only where it agrees with the torch form."""

import logging
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch

import wsss_core.affinity
from wsss_core.affinity import forms, scan_numba, scan_torch
from wsss_core.affinity.forms import chosen_form, triton_agrees

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)


@pytest.fixture(autouse=True)
def asked_anew() -> Iterator[None]:
    triton_agrees.cache_clear()
    yield
    triton_agrees.cache_clear()


def pretend(monkeypatch: pytest.MonkeyPatch, **replaced: Any) -> SimpleNamespace:
    """A Triton form that can be run here: the numba form, but for what is replaced."""
    form = SimpleNamespace(**{"forward": scan_numba.forward, "backward": scan_numba.backward, **replaced})
    monkeypatch.setattr(wsss_core.affinity, "scan_triton", form, raising=False)
    return form


def test_each_device_and_type_has_its_fastest_form(monkeypatch: pytest.MonkeyPatch) -> None:
    triton = pretend(monkeypatch)
    monkeypatch.setattr(forms, "triton_agrees", lambda device: device == GPU)
    assert chosen_form("fastest", CPU, torch.float32) is chosen_form("numba", CPU, torch.float64) is scan_numba
    assert chosen_form("fastest", GPU, torch.float32) is chosen_form("triton", GPU, torch.float32) is triton
    for device, dtype in ((CPU, torch.bfloat16), (GPU, torch.bfloat16), (GPU, torch.float64)):
        assert chosen_form("fastest", device, dtype) is scan_torch
    assert chosen_form("fastest", torch.device("cuda", 1), torch.float32) is scan_torch
    assert chosen_form("torch", CPU, torch.float32) is chosen_form("torch", GPU, torch.float32) is scan_torch


@pytest.mark.parametrize(
    ("form", "device", "dtype"),
    [
        ("numba", CPU, torch.bfloat16),
        ("numba", GPU, torch.float32),
        ("triton", CPU, torch.float32),
        ("triton", GPU, torch.float64),
        ("other", CPU, torch.float32),
    ],
)
def test_forms_that_cannot(form: Any, device: torch.device, dtype: torch.dtype) -> None:
    with pytest.raises(ValueError, match=f"{dtype} on {device}: '{form}'"):
        chosen_form(form, device, dtype)


def test_a_triton_form_that_agrees_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def forward(signal: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        asked.append(weights.shape[3])
        return scan_numba.forward(signal, weights)

    pretend(monkeypatch, forward=forward)
    state = torch.get_rng_state()
    assert triton_agrees(CPU) and triton_agrees(CPU)
    assert asked == [1, 3]  # shared weights and one for each channel
    assert torch.equal(torch.get_rng_state(), state), "a training goes on as if nobody had asked"


def another_backward(*given: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    of_signal, of_weights = scan_numba.backward(*given)
    return of_signal, of_weights * (1 + 1e-2)


def broken(*given: torch.Tensor) -> torch.Tensor:
    raise RuntimeError("no compiler\nhere")


@pytest.mark.parametrize(
    ("replaced", "reason"),
    [
        ({"forward": lambda *given: scan_numba.forward(*given) + 1e-2}, "AssertionError"),
        ({"backward": another_backward}, "AssertionError"),
        ({"forward": broken}, "RuntimeError: no compiler here"),
    ],
)
def test_another_result_or_an_error_leaves_the_torch_form_and_one_line_of_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, replaced: dict[str, Any], reason: str
) -> None:
    pretend(monkeypatch, **replaced)
    with caplog.at_level(logging.WARNING):
        assert not triton_agrees(CPU) and not triton_agrees(CPU)
    assert len(caplog.messages) == 1 and caplog.messages[0].count("\n") == 0
    assert caplog.messages[0].startswith("cpu: spatial propagation runs in torch") and reason in caplog.messages[0]


def test_without_triton_the_torch_form(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.delattr(wsss_core.affinity, "scan_triton", raising=False)
    monkeypatch.delitem(sys.modules, "wsss_core.affinity.scan_triton", raising=False)
    monkeypatch.setitem(sys.modules, "triton", None)
    assert not triton_agrees(CPU)
    assert "triton" in caplog.messages[0]
