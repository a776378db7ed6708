"""Numba kernels of the four scans, float32 or float64. Every sum is one task's, so threads do not change a byte."""

from numba import njit, prange


@njit(cache=True)
def _scan(x, w, g, h, backwards):  # type: ignore[no-untyped-def]
    """h[t] = x[t] + Σ_j w[j, g, t] · (h[t − 1] moved by j − x[t]) for x, h (T, K), w (3, G, T, K)."""
    lines, size = x.shape
    first = lines - 1 if backwards else 0
    for k in range(size):
        h[first, k] = x[first, k]
    for i in range(1, lines):
        t, before = (lines - 1 - i, lines - i) if backwards else (i, i - 1)
        for k in range(size):
            own = x[t, k]
            left = h[before, k - 1] if k > 0 else own
            right = h[before, k + 1] if k + 1 < size else own
            moved = w[0, g, t, k] * (left - own) + w[1, g, t, k] * (h[before, k] - own) + w[2, g, t, k] * (right - own)
            h[t, k] = own + moved


@njit(cache=True)
def _unscan(x, w, g, h, g_h, g_w, backwards):  # type: ignore[no-untyped-def]
    """Turn the gradient g_h of `_scan`'s h into that of x, in place, and add to that of w; the last line first."""
    lines, size = x.shape
    for i in range(lines - 1, 0, -1):
        t, before = (lines - 1 - i, lines - i) if backwards else (i, i - 1)
        for k in range(size):
            own, gradient, total = x[t, k], g_h[t, k], w[1, g, t, k]
            g_w[1, g, t, k] += gradient * (h[before, k] - own)
            g_h[before, k] += w[1, g, t, k] * gradient
            if k > 0:
                total += w[0, g, t, k]
                g_w[0, g, t, k] += gradient * (h[before, k - 1] - own)
                g_h[before, k - 1] += w[0, g, t, k] * gradient
            if k + 1 < size:
                total += w[2, g, t, k]
                g_w[2, g, t, k] += gradient * (h[before, k + 1] - own)
                g_h[before, k + 1] += w[2, g, t, k] * gradient
            g_h[t, k] -= total * gradient


@njit(cache=True, parallel=True)
def forward(signal, weights, out):  # type: ignore[no-untyped-def]
    """Scans of signal (B, C, H, W) under weights (B, 4, 3, G, H, W) into out (B, 4, C, H, W)."""
    channels, groups = signal.shape[1], weights.shape[3]
    for task in prange(len(signal) * 4 * channels):
        b, d, c = task // (4 * channels), task // channels % 4, task % channels
        x, w, h = signal[b, c], weights[b, d], out[b, d, c]
        if d < 2:
            _scan(x.T, w.transpose(0, 1, 3, 2), c % groups, h.T, d == 1)
        else:
            _scan(x, w, c % groups, h, d == 3)


@njit(cache=True, parallel=True)
def backward(signal, weights, scanned, g_scanned, g_weights):  # type: ignore[no-untyped-def]
    """Turn g_scanned (B, 4, C, H, W) into each direction's gradient of the signal, in place, and add to g_weights.

    Channels that share weights are one task, which adds their gradients up in order.
    """
    channels, groups = signal.shape[1], weights.shape[3]
    for task in prange(len(signal) * 4 * groups):
        b, d, g = task // (4 * groups), task // groups % 4, task % groups
        w, g_w = weights[b, d], g_weights[b, d]
        for c in range(g, channels, groups):
            x, h, g_h = signal[b, c], scanned[b, d, c], g_scanned[b, d, c]
            if d < 2:
                _unscan(x.T, w.transpose(0, 1, 3, 2), g, h.T, g_h.T, g_w.transpose(0, 1, 3, 2), d == 1)
            else:
                _unscan(x, w, g, h, g_h, g_w, d == 3)
