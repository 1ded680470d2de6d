"""QR codes of links, by path and by Accept."""

import re
from io import BytesIO

import pytest
import zxingcpp
from PIL import Image

from tests.functions.world import DOMAIN, Answer, Client, World

HEX = re.compile(r'"[0-9a-f]+"')


def picture(answer: Answer) -> Image.Image:
    return Image.open(BytesIO(answer.content)).convert("L")


def decoded(answer: Answer) -> str:
    (found,) = zxingcpp.read_barcodes(picture(answer))
    return str(found.text)


@pytest.fixture
def short_id(world: World, operator: Client) -> str:
    made: str = operator.link(world.thng()["id"])["shortId"]
    return made


def draw(world: World, path: str, accept: str = "*/*", **query) -> Answer:
    return world.nobody.get(path, headers={"accept": accept}, on_short=True, **query)


def test_a_code_needs_no_key_and_says_the_short_url_with_scheme_and_host_in_capitals(world: World, short_id):
    answer = draw(world, f"/{short_id}.png", w=300, h=300)
    assert answer.status == 200
    assert decoded(answer) == f"HTTPS://{DOMAIN.upper()}/{short_id}"


@pytest.mark.parametrize("prefix", ["", "/redirections"])
def test_path_and_accept_choose_the_format(world: World, short_id, prefix):
    def media(name: str, accept: str = "*/*") -> str:
        return draw(world, f"{prefix}/{short_id}{name}", accept).headers["content-type"]

    assert media(".png") == media(".png", "image/svg+xml") == "image/png"
    assert media(".svg") == media(".svg", "image/png") == "image/svg+xml"
    assert media(".qr") == media(".qr", "image/png") == media(".qr", "text/html,*/*") == "image/png"
    assert media(".qr", "image/svg+xml") == "image/svg+xml"
    assert media(".qr", "image/svg+xml;q=0.2, image/png;q=0.1") == "image/svg+xml"
    assert media(".qr", "image/svg+xml;q=0, image/png;q=0.1") == "image/png"


@pytest.mark.parametrize(
    ("query", "size"), [({}, (95, 95)), ({"w": 800, "h": 800}, (800, 800)), ({"w": 120}, (120, 95))]
)
def test_an_image_has_exactly_the_size_asked_for(world: World, short_id, query, size):
    answer = draw(world, f"/{short_id}.png", **query)
    assert picture(answer).size == size
    assert decoded(answer).endswith(short_id)
    svg = draw(world, f"/{short_id}.svg", **query).content.decode()
    assert f'width="{size[0]}" height="{size[1]}"' in svg


@pytest.mark.parametrize("name", ["w", "h"])
@pytest.mark.parametrize("value", ["0", "801", "-1", "1.5", "x", "", "1e2", "٣٠٠", "9" * 100, "20"])
def test_a_size_out_of_bounds_or_under_a_pixel_a_module_is_400_and_says_so(world: World, short_id, name, value):
    answer = draw(world, f"/{short_id}.png", **{name: value})
    assert answer.status == 400
    assert answer.document["details"][0]["field"] == name
    assert "800" in str(answer.document)


def test_a_story_draws_an_svg(world: World, short_id):
    answer = world.answered("redirections/draw-svg", SHORT_ID=short_id)
    assert (answer.status, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert 'width="300"' in answer.content.decode()


def test_an_image_is_cached_by_its_etag(world: World, short_id):
    first = draw(world, f"/{short_id}.png")
    tag = first.headers["etag"]
    assert HEX.fullmatch(tag) and "public" in first.headers["cache-control"]
    for sent in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        again = world.nobody.get(f"/{short_id}.png", headers={"if-none-match": sent}, on_short=True)
        assert (again.status, again.content, again.headers["etag"]) == (304, b"", tag)
    assert world.nobody.get(f"/{short_id}.png", headers={"if-none-match": '"x"'}, on_short=True).status == 200
    tags = {
        draw(world, f"/{short_id}{name}", w=width).headers["etag"] for name in (".png", ".svg") for width in (95, 96)
    }
    assert len(tags) == 4


def test_only_what_depends_on_accept_says_so(world: World, short_id):
    assert draw(world, f"/{short_id}.qr").headers["vary"] == "accept"
    assert "vary" not in draw(world, f"/{short_id}.png").headers


def test_a_head_request_has_the_images_headers_and_no_image(world: World, short_id):
    answer = world.nobody.call("HEAD", f"/{short_id}.png", on_short=True)
    assert (answer.status, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "image/png" and answer.headers["etag"]


def test_an_unknown_code_is_404_and_a_code_without_a_link_draws_nothing(world: World):
    for name in ("NOTHING1.png", "x.svg", "%00.qr", "x" * 3_000 + ".png"):
        assert draw(world, f"/{name}").status == 404
