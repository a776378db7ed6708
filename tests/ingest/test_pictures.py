"""Decoders refuse what is damaged and read class ids, not colours."""

import io

import numpy as np
import pytest
from PIL import Image

from wsss_core.ingest.pictures import decode_mask, decode_photo


def _encoded(array: np.ndarray, kind: str = "PNG", mode: str | None = None, **options: object) -> bytes:
    file = io.BytesIO()
    image = Image.fromarray(array)
    (image.convert(mode) if mode else image).save(file, kind, **options)
    return file.getvalue()


NOISE = np.random.default_rng(0).integers(0, 256, (40, 50, 3)).astype(np.uint8)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP"])
def test_a_photo_of_any_kind_is_read_and_every_cut_of_it_is_refused(kind: str) -> None:
    data = _encoded(NOISE, kind)
    assert decode_photo(data).shape == (40, 50, 3)
    for keep in (len(data) // 2, len(data) - 100, 30):
        with pytest.raises(ValueError, match="damaged|not a picture"):
            decode_photo(data[:keep])


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_without_its_end_is_refused(progressive: bool) -> None:
    data = _encoded(NOISE, "JPEG", progressive=progressive)
    with pytest.raises(ValueError, match="truncated"):
        decode_photo(data[:-2])


def test_text_and_nothing_are_not_pictures() -> None:
    for data in (b"", b"<html>404</html>"):
        with pytest.raises(ValueError, match="not a picture"):
            decode_photo(data)


def test_a_photo_is_turned_as_its_exif_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode_photo(_encoded(NOISE, "JPEG", exif=exif)).shape == (50, 40, 3)


def test_channels_are_blue_green_red() -> None:
    photo = decode_photo(_encoded(np.full((2, 2, 3), (1, 2, 3), np.uint8)))
    assert photo[0, 0].tolist() == [3, 2, 1]


def test_grey_edges_of_a_saliency_mask_belong_to_the_object_above_127() -> None:
    data = _encoded(np.array([[0, 127, 128, 255]], np.uint8))
    assert decode_mask(data, saliency=True).tolist() == [[0, 0, 1, 1]]
    assert decode_mask(data, saliency=False).tolist() == [[0, 127, 128, 255]]


def test_masks_in_colours_or_beyond_255_are_refused() -> None:
    with pytest.raises(ValueError, match=r"mask in colours \(mode RGB\)"):
        decode_mask(_encoded(NOISE), saliency=False)
    with pytest.raises(ValueError, match="mask value 300"):
        decode_mask(_encoded(np.full((2, 2), 300, np.uint16)), saliency=False)
