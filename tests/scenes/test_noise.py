import numpy as np
import pytest

from wsss_core.scenes.noise import power_noise


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.5])
def test_amplitude_falls_with_the_exponent(exponent):
    field = power_noise(np.random.default_rng(0), 256, 256, exponent=exponent)
    amplitude = np.abs(np.fft.fft2(field))
    frequency = np.hypot(np.fft.fftfreq(256)[:, None], np.fft.fftfreq(256)[None, :])
    band = (frequency > 0.02) & (frequency < 0.4)
    slope = np.polyfit(np.log(frequency[band]), np.log(amplitude[band]), 1)[0]
    assert slope == pytest.approx(-exponent, abs=0.05)


def test_shape_of_any_size_and_unit_deviation():
    field = power_noise(np.random.default_rng(1), 101, 127, exponent=1.0)
    assert field.shape == (101, 127)
    assert field.dtype == np.float32
    assert abs(field.mean()) < 0.3
    assert field.std() == pytest.approx(1.0, abs=0.2)


def test_stretch_lengthens_structures_along_x():
    field = power_noise(np.random.default_rng(2), 128, 128, exponent=1.0, stretch=4.0)
    assert np.abs(np.diff(field, axis=1)).mean() < 0.7 * np.abs(np.diff(field, axis=0)).mean()
