"""Numba kernel of the weight gradient of a depthwise convolution. A task's sums are its own: threads change no byte."""

from numba import njit, prange

LANES = 192  # channels of a task: its sums for 5 × 5 taps stay in the first-level cache


@njit(cache=True, fastmath={"contract"})
def _add_products(sums, x, y):  # type: ignore[no-untyped-def]
    for c in range(len(x)):
        sums[c] += x[c] * y[c]


@njit(cache=True, parallel=True)
def weight_gradient(x, gradient, sums, dilation):  # type: ignore[no-untyped-def]
    """Add to sums (B, k, k, C) the products of x and gradient, both (B, H, W, C), whose pixels a tap connects.

    Stride 1 and the padding that keeps the size: tap (i, j) connects a pixel with that (i − k // 2) · dilation below
    and (j − k // 2) · dilation to the right.
    """
    batch, height, width, channels = x.shape
    kernel = sums.shape[1]
    blocks = -(-channels // LANES)
    for task in prange(batch * blocks):
        b, first = task // blocks, task % blocks * LANES
        last = min(first + LANES, channels)
        for row in range(height):
            for column in range(width):
                here = gradient[b, row, column, first:last]
                for i in range(kernel):
                    y = row + (i - kernel // 2) * dilation
                    if not 0 <= y < height:
                        continue
                    for j in range(kernel):
                        z = column + (j - kernel // 2) * dilation
                        if 0 <= z < width:
                            _add_products(sums[b, i, j, first:last], here, x[b, y, z, first:last])
