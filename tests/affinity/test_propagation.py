"""Both forms of the scans against the formula, pixel by pixel; invariants of propagation by any weights."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np
import pytest
import torch
from torch import Tensor

from wsss_core.affinity import propagate, scans, stable

Form = Literal["numba", "torch"]
FORMS = pytest.mark.parametrize("form", ["numba", "torch"])
SHARED = pytest.mark.parametrize("shared", [False, True])
SHAPES = pytest.mark.parametrize(
    "shape", [(2, 3, 4, 7), (1, 2, 6, 3), (1, 2, 5, 5), (1, 2, 1, 6), (2, 1, 6, 1), (1, 3, 2, 2), (1, 1, 1, 1)]
)
# (row, column) of the pixel before, and the step across from neighbour k − 1 to k to k + 1.
DIRECTIONS = [((0, -1), (1, 0)), ((0, 1), (1, 0)), ((-1, 0), (0, 1)), ((1, 0), (0, 1))]


def drawn(
    shape: tuple[int, int, int, int], *, shared: bool, seed: int = 0, dtype: torch.dtype = torch.float64
) -> tuple[Tensor, Tensor]:
    """A signal and weights, normal of any sign, not normalised."""
    batch, channels, height, width = shape
    generator = torch.Generator().manual_seed(seed)
    signal = torch.randn(shape, generator=generator, dtype=dtype)
    groups = 1 if shared else channels
    return signal, torch.randn(batch, 4, 3, groups, height, width, generator=generator, dtype=dtype)


def by_the_formula(signal: Tensor, weights: Tensor) -> np.ndarray:
    x, w = signal.numpy(), weights.expand(-1, -1, -1, signal.shape[1], -1, -1).numpy()
    batch, channels, height, width = x.shape
    out = np.zeros((batch, 4, channels, height, width))
    for b, c in np.ndindex(batch, channels):
        for d, (back, across) in enumerate(DIRECTIONS):
            rows, columns = range(height), range(width)
            order = [(r, s) for r in rows[:: 1 if back[0] < 1 else -1] for s in columns[:: 1 if back[1] < 1 else -1]]
            if back[0] == 0:
                order.sort(key=lambda at: at[1] * -back[1])
            for r, s in order:
                kept, taken = 1.0, 0.0
                for j in range(3):
                    near = r + back[0] + (j - 1) * across[0], s + back[1] + (j - 1) * across[1]
                    if 0 <= near[0] < height and 0 <= near[1] < width:
                        kept -= w[b, d, j, c, r, s]
                        taken += w[b, d, j, c, r, s] * out[b, d, c, near[0], near[1]]
                out[b, d, c, r, s] = kept * x[b, c, r, s] + taken
    return out


@FORMS
@SHARED
@SHAPES
def test_scans_follow_the_formula(shape: tuple[int, int, int, int], shared: bool, form: Form) -> None:
    signal, weights = drawn(shape, shared=shared)
    expected = by_the_formula(signal, weights)
    np.testing.assert_allclose(scans(signal, weights, form=form), expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(propagate(signal, weights, form=form), expected.max(1), rtol=1e-10, atol=1e-12)
    weights = stable(weights)
    single = scans(signal.float(), weights.float(), form=form)
    assert single.dtype == torch.float32
    np.testing.assert_allclose(single, by_the_formula(signal, weights), rtol=1e-4, atol=1e-5)


@FORMS
def test_by_hand(form: Form) -> None:
    """Two rows, top to bottom: ¼ of the left, ½ of the straight and ⅛ of the right neighbour."""
    signal = torch.tensor([[[[8.0, 16.0, 32.0], [0.0, 0.0, 64.0]]]])
    weights = torch.zeros(1, 4, 3, 1, 2, 3)
    weights[0, 2] = torch.tensor([0.25, 0.5, 0.125])[:, None, None, None]
    expected = [[8.0, 16.0, 32.0], [4.0 + 2.0, 2.0 + 8.0 + 4.0, 64.0 / 4 + 4.0 + 16.0]]
    result = scans(signal, weights, form=form)[0, :, 0]
    torch.testing.assert_close(result[2], torch.tensor(expected))
    torch.testing.assert_close(result[[0, 1, 3]], signal[0].expand(3, -1, -1))


@FORMS
@SHARED
def test_without_weights_nothing_changes_and_the_gradient_passes(form: Form, shared: bool) -> None:
    signal, weights = drawn((2, 3, 4, 5), shared=shared)
    signal.requires_grad_()
    out = propagate(signal, torch.zeros_like(weights), form=form)
    assert torch.equal(out, signal)
    out.sum().backward()
    torch.testing.assert_close(signal.grad, torch.ones_like(signal))


@FORMS
@SHARED
def test_constants_are_preserved(form: Form, shared: bool) -> None:
    _, weights = drawn((1, 2, 5, 6), shared=shared)
    signal = torch.full((1, 2, 5, 6), 0.3, dtype=torch.float64)
    torch.testing.assert_close(scans(signal, weights, form=form), signal[:, None].expand(-1, 4, -1, -1, -1))


@FORMS
@SHARED
def test_weights_of_neighbours_outside_do_nothing(form: Form, shared: bool) -> None:
    signal, weights = drawn((1, 2, 4, 5), shared=shared)
    outside = torch.zeros(4, 3, 4, 5, dtype=torch.bool)
    outside[0, :, :, 0] = outside[1, :, :, -1] = outside[2, :, 0] = outside[3, :, -1] = True
    outside[:2, 0, 0] = outside[:2, 2, -1] = outside[2:, 0, :, 0] = outside[2:, 2, :, -1] = True
    wild = weights.masked_fill(outside[:, :, None], 1e6).requires_grad_()
    scanned = scans(signal, wild, form=form)
    torch.testing.assert_close(scanned, scans(signal, weights, form=form))
    scanned.square().sum().backward()
    assert wild.grad is not None
    assert (wild.grad.movedim(3, 0)[:, :, outside] == 0).all()
    assert (wild.grad.movedim(3, 0)[:, :, ~outside] != 0).all()


def test_stable_divides_only_where_the_sum_exceeds_one() -> None:
    weights = torch.zeros(1, 4, 3, 1, 1, 2, dtype=torch.float64)
    weights[0, 0, :, 0, 0] = torch.tensor([[-1.0, 0.5], [2.0, -0.25], [1.0, 0.125]])
    expected = torch.tensor([[-0.25, 0.5], [0.5, -0.25], [0.25, 0.125]], dtype=torch.float64)
    assert torch.equal(stable(weights)[0, 0, :, 0, 0], expected)
    assert torch.equal(stable(weights)[0, 1:], weights[0, 1:])
    _, drawn_weights = drawn((1, 2, 3, 2), shared=False)
    assert torch.autograd.gradcheck(stable, drawn_weights.requires_grad_())


@FORMS
@pytest.mark.parametrize("axis", [2, 3])
def test_ten_thousand_steps_stay_bounded(form: Form, axis: int) -> None:
    shape = (1, 2, 10_000, 4) if axis == 2 else (1, 2, 4, 10_000)
    signal, weights = drawn(shape, shared=False)
    largest = signal.abs().max()
    assert scans(signal, stable(3 * weights.abs()), form=form).abs().max() <= largest * (1 + 1e-9), "means of signals"
    assert scans(signal, stable(3 * weights), form=form).abs().max() < 10 * largest, "negative weights"
    assert not scans(signal, 3 * weights, form=form).isfinite().all(), "without `stable` it would have grown"


@FORMS
def test_what_a_line_has_never_grows_on_its_way(form: Form) -> None:
    """Also with weights of any sign: the difference that a first line makes."""
    signal, weights = drawn((1, 1, 300, 5), shared=True)
    other = signal.clone()
    other[:, :, 0] += torch.tensor([1.0, -1.0, 1.0, -1.0, 1.0])
    for w in (stable(3 * weights), stable(-3 * weights.abs())):
        difference = (scans(signal, w, form=form) - scans(other, w, form=form))[0, 2, 0].abs().amax(1)
        assert difference[0] == 1
        assert (difference.diff() <= 1e-12).all()


@FORMS
@SHARED
@pytest.mark.parametrize("shape", [(1, 2, 3, 4), (1, 1, 4, 2), (2, 1, 1, 3), (1, 2, 3, 1)])
def test_gradcheck(shape: tuple[int, int, int, int], shared: bool, form: Form) -> None:
    signal, weights = (x.requires_grad_() for x in drawn(shape, shared=shared))
    assert torch.autograd.gradcheck(lambda x, w: scans(x, w, form=form), (signal, weights))
    assert torch.autograd.gradcheck(lambda x, w: propagate(x, stable(w), form=form), (signal, weights))


@SHARED
def test_both_forms_give_the_same_gradients(shared: bool) -> None:
    shape = (2, 3, 31, 45)
    gradients = []
    for form in ("numba", "torch"):
        signal, weights = (x.requires_grad_() for x in drawn(shape, shared=shared, dtype=torch.float32))
        (propagate(signal, stable(weights), form=form) ** 2).sum().backward()  # type: ignore[arg-type]
        gradients.append((signal.grad, weights.grad))
    for ours, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


@FORMS
def test_the_gradient_that_comes_in_is_left_as_it_is(form: Form) -> None:
    signal, weights = (x.requires_grad_() for x in drawn((1, 2, 4, 5), shared=True))
    out = scans(signal, weights, form=form)
    incoming = torch.ones_like(out)
    torch.autograd.grad(out, (signal, weights), incoming)
    assert (incoming == 1).all()


@FORMS
@SHARED
def test_a_turned_picture_gives_the_turned_result(form: Form, shared: bool) -> None:
    signal, weights = drawn((2, 2, 4, 6), shared=shared)
    result = scans(signal, weights, form=form)
    # Left and right change places: directions 0 and 1, and the neighbours of 2 and 3.
    mirrored = weights.flip(-1)
    mirrored = torch.cat([mirrored[:, :2].flip(1), mirrored[:, 2:].flip(2)], 1)
    torch.testing.assert_close(scans(signal.flip(-1), mirrored, form=form), result[:, [1, 0, 2, 3]].flip(-1))
    # Top and bottom: directions 2 and 3, and the neighbours of 0 and 1.
    mirrored = weights.flip(-2)
    mirrored = torch.cat([mirrored[:, :2].flip(2), mirrored[:, 2:].flip(1)], 1)
    torch.testing.assert_close(scans(signal.flip(-2), mirrored, form=form), result[:, [0, 1, 3, 2]].flip(-2))
    # Rows and columns.
    torch.testing.assert_close(scans(signal.mT, weights[:, [2, 3, 0, 1]].mT, form=form), result[:, [2, 3, 0, 1]].mT)


@SHARED
def test_same_bytes_for_any_number_of_threads(shared: bool, numbas_threads: Iterator[int]) -> None:
    results = []
    for _ in numbas_threads:
        signal, weights = (x.requires_grad_() for x in drawn((2, 5, 40, 33), shared=shared, dtype=torch.float32))
        out = propagate(signal, stable(weights), form="numba")
        out.square().sum().backward()
        results.append([x.detach().numpy().tobytes() for x in (out, signal.grad, weights.grad) if x is not None])
    assert len(results[0]) == 3 and results[0] == results[1]


def test_python_threads() -> None:
    signal, weights = drawn((1, 3, 30, 20), shared=True)
    expected = propagate(signal, weights)
    with ThreadPoolExecutor(4) as pool:
        for out in pool.map(lambda _: propagate(signal, weights), range(8)):
            assert torch.equal(out, expected)


def test_the_fastest_form_and_other_types() -> None:
    signal, weights = drawn((1, 2, 6, 5), shared=True)
    weights = stable(weights)
    assert torch.equal(scans(signal, weights), scans(signal, weights, form="numba"))
    half = scans(signal.bfloat16(), weights.bfloat16())
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.double(), scans(signal, weights), rtol=0.05, atol=0.1)


@pytest.mark.parametrize(
    ("signal", "weights", "message"),
    [
        (torch.zeros(2, 3, 4), torch.zeros(1), r"signal \(B, C, H, W\).*\(2, 3, 4\)"),
        (torch.zeros(1, 1, 0, 4), torch.zeros(1, 4, 3, 1, 0, 4), r"signal.*\(1, 1, 0, 4\)"),
        (torch.zeros(1, 1, 2, 2, dtype=torch.int64), torch.zeros(1, 4, 3, 1, 2, 2), "float signal.*int64"),
        (
            torch.zeros(1, 5, 2, 3),
            torch.zeros(1, 4, 3, 2, 2, 3),
            r"\(1, 4, 3, 5, 2, 3\) or \(1, 4, 3, 1, 2, 3\), got \(1, 4, 3, 2, 2, 3\)",
        ),
        (torch.zeros(1, 5, 2, 3), torch.zeros(1, 4, 3, 1, 3, 2), r"got \(1, 4, 3, 1, 3, 2\)"),
        (torch.zeros(1, 5, 2, 3), torch.zeros(1, 12, 1, 2, 3), r"got \(1, 12, 1, 2, 3\)"),
        (torch.zeros(1, 1, 2, 2), torch.zeros(1, 4, 3, 1, 2, 2, dtype=torch.float64), "float32 on cpu.*float64"),
    ],
)
def test_input_that_does_not_fit(signal: Tensor, weights: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        propagate(signal, weights)


def test_forms_that_cannot() -> None:
    signal, weights = (x.bfloat16() for x in drawn((1, 1, 2, 2), shared=True))
    with pytest.raises(ValueError, match="bfloat16 on cpu.*'numba'"):
        scans(signal, weights, form="numba")
    with pytest.raises(ValueError, match="'other'"):
        scans(signal, weights, form="other")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"got \(1, 3, 4, 1, 2, 2\)"):
        stable(torch.zeros(1, 3, 4, 1, 2, 2))
