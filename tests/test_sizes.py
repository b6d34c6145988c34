import pytest

from realtime_bokeh.sizes import Size, content_size, padded_size


@pytest.mark.parametrize(
    ("frame", "content", "padded"),
    [
        ((720, 1280), (144, 256), (144, 256)),
        ((1080, 1920), (144, 256), (144, 256)),
        ((1280, 720), (256, 144), (256, 144)),
        ((480, 640), (168, 224), (176, 224)),
        ((512, 512), (192, 192), (192, 192)),
        ((1080, 2560), (122, 288), (128, 288)),
        ((20, 30000), (16, 24000), (16, 24000)),
        ((1, 1), (192, 192), (192, 192)),
    ],
)
def test_size_follows_the_frames_shape(frame: Size, content: Size, padded: Size) -> None:
    assert content_size(frame, (144, 256)) == content
    assert padded_size(content) == padded


@pytest.mark.parametrize("frame", [(480, 640), (1333, 750), (777, 1999), (2000, 2001)])
def test_shape_is_kept_within_a_pixel(frame: Size) -> None:
    height, width = content_size(frame, (144, 256))
    exact = width * frame[0] / frame[1]
    assert abs(height - exact) <= 1
    assert 0.8 < height * width / (144 * 256) < 1.25


def test_full_is_the_frames_own_size_padded() -> None:
    assert content_size((719, 1279), "full") == (719, 1279)
    assert padded_size((719, 1279)) == (720, 1280)
    assert content_size((4, 8), "full") == (16, 32)


def test_full_is_the_papers_size_at_most() -> None:
    assert content_size((1024, 1536), "full") == (1024, 1536)
    assert content_size((2000, 3000), "full") == (1024, 1536)
    assert content_size((1080, 1920), "full") == (945, 1680)
