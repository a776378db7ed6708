"""A project as `wsss init` finds it; numba with one thread and with two."""

import pytest


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "stages").mkdir()
    (tmp_path / "dvc.yaml").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def numbas_threads():
    """Set numba's threads to each of these in turn, for results that must not depend on them; afterwards as before."""
    import numba

    if numba.config.NUMBA_NUM_THREADS < 2:
        pytest.skip("numba has one thread here; NUMBA_NUM_THREADS=2 gives it two")
    before = numba.get_num_threads()

    def each():
        for threads in (1, 2):
            numba.set_num_threads(threads)
            yield threads

    yield each()
    numba.set_num_threads(before)
