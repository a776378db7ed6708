"""The Triton kernels, without a GPU: run by Triton's interpreter against the torch form, and compiled but not run."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from wsss_core.affinity import scan_torch, scans, stable

pytestmark = pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="Triton comes with torch on Linux")
ROOT = Path(__file__).resolve().parents[2]
# Whether a kernel is interpreted is decided where Triton is first imported, hence processes of their own.
RUN = """
import sys, torch
from wsss_core.affinity import scan_triton as form
results = []
for signal, weights, gradient, form.BLOCK in torch.load(sys.argv[1]):
    scanned = form.forward(signal, weights)
    results.append([scanned, *form.backward(gradient, signal, weights, scanned)])
torch.save(results, sys.argv[2])
"""
COMPILE = """
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from wsss_core.affinity import scan_triton as form
for kernel in (form._scan, form._unscan):
    for ones in ((), ("groups", "height", "width")):  # Triton treats arguments that are 1 apart
        numbers = {**dict.fromkeys(ones, 1), "block": 64}
        signature = {name: "*fp32" for name in kernel.arg_names} | dict.fromkeys(("groups", "height", "width"), "i32")
        source = ASTSource(kernel, signature | dict.fromkeys(numbers, "constexpr"), numbers)
        compiled = triton.compile(source, target=GPUTarget("cuda", 80, 32), options={"num_stages": 1})
        print(len(compiled.asm["cubin"]) > 0, compiled.asm["ptx"].count("bar.sync"))
"""
# (shape, shared, positions of a line at once)
CASES = [
    ((1, 2, 3, 4), False, 1024),
    ((1, 2, 3, 4), True, 1024),
    ((2, 1, 2, 2), True, 1024),
    ((1, 1, 1, 3), False, 1024),
    ((1, 1, 3, 1), False, 1024),
    ((1, 1, 1, 1), True, 1024),
    ((1, 1, 2, 5), True, 2),
]


def drawn(shape: tuple[int, int, int, int], shared: bool) -> tuple[Tensor, Tensor, Tensor]:
    batch, channels, height, width = shape
    generator = torch.Generator().manual_seed(0)
    signal = torch.randn(shape, generator=generator)
    weights = torch.randn(batch, 4, 3, 1 if shared else channels, height, width, generator=generator)
    return signal, stable(weights), torch.randn(batch, 4, channels, height, width, generator=generator)


def by_hand() -> tuple[Tensor, Tensor, Tensor]:
    """Two rows, top to bottom: ¼ of the left, ½ of the straight and ⅛ of the right neighbour."""
    weights = torch.zeros(1, 4, 3, 1, 2, 3)
    weights[0, 2] = torch.tensor([0.25, 0.5, 0.125])[:, None, None, None]
    gradient = torch.zeros(1, 4, 1, 2, 3)
    gradient[0, 2, 0, 1] = torch.tensor([1.0, 10.0, 100.0])
    return torch.tensor([[[[8.0, 16.0, 32.0], [0.0, 0.0, 64.0]]]]), weights, gradient


def run(code: str, *arguments: str, **environment: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


@pytest.fixture(scope="module")
def interpreted(tmp_path_factory: pytest.TempPathFactory) -> list[list[Tensor]]:
    """Scans and both gradients of the cases and of the one by hand."""
    folder = tmp_path_factory.mktemp("scans")
    given = [(*drawn(shape, shared), block) for shape, shared, block in CASES]
    torch.save([*given, (*by_hand(), 1024)], folder / "given.pt")
    run(RUN, str(folder / "given.pt"), str(folder / "results.pt"), TRITON_INTERPRET="1")
    return torch.load(folder / "results.pt")


@pytest.mark.parametrize("case", range(len(CASES)))
def test_values_and_gradients_are_those_of_the_torch_form(interpreted: list[list[Tensor]], case: int) -> None:
    signal, weights, gradient = drawn(*CASES[case][:2])
    scanned = scan_torch.forward(signal, weights)
    expected = [scanned, *scan_torch.backward(gradient, signal, weights, scanned)]
    for ours, theirs in zip(interpreted[case], expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_by_hand(interpreted: list[list[Tensor]]) -> None:
    scanned, of_signal, of_weights = interpreted[-1]
    assert scanned[0, 2, 0].tolist() == [[8.0, 16.0, 32.0], [4.0 + 2.0, 2.0 + 8.0 + 4.0, 64.0 / 4 + 4.0 + 16.0]]
    first = [0.5 + 2.5, 0.125 + 5.0 + 25.0, 1.25 + 50.0]
    assert of_signal[0, 0].tolist() == [first, [1 - 0.625, 10 * (1 - 0.875), 100 * (1 - 0.75)]]
    expected = torch.zeros(1, 4, 3, 1, 2, 3)
    expected[0, 2, :, 0, 1] = torch.tensor(
        [[0.0, 10 * 8.0, 100 * (16.0 - 64.0)], [8.0, 10 * 16.0, 100 * (32.0 - 64.0)], [16.0, 10 * 32.0, 0.0]]
    )
    assert torch.equal(of_weights, expected)


def test_for_a_gpu_each_kernel_compiles_to_a_loop_with_a_barrier(tmp_path: Path) -> None:
    assert run(COMPILE, TRITON_CACHE_DIR=str(tmp_path), TRITON_INTERPRET="0").splitlines() == ["True 1"] * 4


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("shape", [(2, 3, 41, 41), (1, 2, 7, 1500), (1, 2, 375, 500)])
def test_on_a_gpu(shape: tuple[int, int, int, int], shared: bool) -> None:
    results = []
    for form in ("triton", "torch"):
        signal, weights, gradient = (x.cuda().requires_grad_() for x in drawn(shape, shared))
        scanned = scans(signal, weights, form=form)  # type: ignore[arg-type]
        results.append([scanned, *torch.autograd.grad(scanned, (signal, weights), gradient)])
    torch.testing.assert_close(*results, rtol=1e-4, atol=1e-4)
