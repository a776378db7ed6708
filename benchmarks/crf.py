"""The dense CRF beside pydensecrf2: same image, same run, ten iterations, two threads.

python -m benchmarks.crf PHOTO.jpg          (pydensecrf2 on the path; without it only our times are printed)
"""

import sys
import time
from collections.abc import Callable

import cv2
import numba
import numpy as np

from wsss_core.crf import DenseCRF
from wsss_core.crf.features import bilateral_features, spatial_features
from wsss_core.crf.numba_lattice import NumbaLattice

HEIGHT, WIDTH, THREADS, REPEATS = 375, 500, 2, 15


def smooth_probabilities(labels: int, seed: int = 0) -> np.ndarray:
    """Upsampled random scores, softmax: float32 (K, H, W), as coarse as a network's."""
    coarse = np.random.default_rng(seed).normal(0, 3, (labels, 12, 16)).astype(np.float32)
    scores = np.stack([cv2.resize(plane, (WIDTH, HEIGHT)) for plane in coarse])
    return np.exp(scores) / np.exp(scores).sum(0)


def build_lattices(image: np.ndarray) -> None:
    NumbaLattice(spatial_features(HEIGHT, WIDTH, 3))
    NumbaLattice(bilateral_features(image, 80, 13))


def pydensecrf(image: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    import pydensecrf.densecrf as densecrf
    from pydensecrf.utils import unary_from_softmax

    crf = densecrf.DenseCRF2D(WIDTH, HEIGHT, len(probabilities))
    crf.setUnaryEnergy(unary_from_softmax(probabilities))
    crf.addPairwiseGaussian(3, 3)
    crf.addPairwiseBilateral(80, 13, image, 10)
    return np.array(crf.inference(10)).reshape(probabilities.shape)


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main(photo: str) -> None:
    numba.set_num_threads(THREADS)
    image = cv2.resize(cv2.cvtColor(cv2.imread(photo), cv2.COLOR_BGR2RGB), (WIDTH, HEIGHT))
    crf = DenseCRF()
    crf(image, smooth_probabilities(2))  # compiles
    print(f"{WIDTH}×{HEIGHT}, 10 iterations, {THREADS} threads, fastest of {REPEATS}, seconds")
    print(f"{'labels':>6} {'lattices':>9} {'ours':>7} {'pydensecrf2':>12} {'ratio':>6}")
    for labels in (21, 3):
        probabilities = smooth_probabilities(labels)
        built, ours, theirs = [], [], []
        for _ in range(REPEATS):  # interleaved, and the fastest of each: other work on the machine only adds time
            built.append(seconds(lambda: build_lattices(image)))
            ours.append(seconds(lambda p=probabilities: crf(image, p)))  # type: ignore[misc]
            try:
                theirs.append(seconds(lambda p=probabilities: pydensecrf(image, p)))  # type: ignore[misc]
            except ImportError:
                theirs.append(float("nan"))
        b, o, t = (min(x) for x in (built, ours, theirs))
        print(f"{labels:>6} {b:>9.3f} {o:>7.3f} {t:>12.3f} {o / t:>6.2f}")


if __name__ == "__main__":
    main(sys.argv[1])
