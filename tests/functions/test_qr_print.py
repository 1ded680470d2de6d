"""QR codes as PDF, and that no code is drawn twice."""

from typing import Any

import pypdfium2
import pytest
import zxingcpp

from fingerpost.redirection import drawings
from tests.functions.world import DOMAIN, Answer, Client, World

TYPES = {"png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf"}


def draw(world: World, path: str, accept: str = "*/*", **query: Any) -> Answer:
    return world.nobody.get(path, headers={"accept": accept}, on_short=True, **query)


@pytest.mark.parametrize("prefix", ["", "/redirections"])
def test_path_and_accept_choose_the_pdf(world: World, short_id: str, prefix: str):
    def media(name: str, accept: str) -> str:
        return draw(world, f"{prefix}/{short_id}{name}", accept).headers["content-type"]

    assert media(".pdf", "*/*") == media(".pdf", "image/png") == "application/pdf"
    assert media(".qr", "application/pdf") == media(".qr", "text/html, application/pdf, */*") == "application/pdf"
    assert media(".qr", "image/png;q=0.5, application/pdf;q=0.4") == "image/png"


def test_a_pdf_has_the_size_asked_for_and_says_the_short_url(world: World, short_id: str):
    answer = draw(world, f"/{short_id}.pdf", w=120)
    assert answer.content.startswith(b"%PDF-1.7")
    with pypdfium2.PdfDocument(answer.content) as document:
        page = document[0]
        assert page.get_size() == (90, 71.25)
        [found] = zxingcpp.read_barcodes(page.render(scale=300 / 72, grayscale=True).to_pil())
        assert document.get_metadata_dict()["Title"] == f"https://{DOMAIN}/{short_id}"
    assert found.text == f"HTTPS://{DOMAIN.upper()}/{short_id}"


@pytest.mark.parametrize("size", ["0", "801", "20", "1.5", "25mm"])
def test_a_pdf_refuses_the_sizes_an_image_refuses(world: World, short_id: str, size: str):
    refused = draw(world, f"/{short_id}.pdf", h=size)
    assert (refused.status, refused.document["details"][0]["field"]) == (400, "h")


@pytest.mark.parametrize("format", TYPES)
def test_a_code_is_drawn_once_whoever_asks_and_however(world: World, short_id: str, monkeypatch, format: str):
    first = draw(world, f"/{short_id}.{format}", w=96)
    monkeypatch.setattr(drawings, "_DRAW", {})
    again = draw(world, f"/redirections/{short_id}.qr", TYPES[format], w=96)
    assert (again.status, again.content, again.headers["etag"]) == (200, first.content, first.headers["etag"])


def test_the_code_that_answers_a_new_link_is_the_one_shown_later(world: World, operator: Client, monkeypatch):
    sent = {"evrythngId": world.thng()["id"], "defaultRedirectUrl": "https://museum.example/"}
    made = operator.post("/redirections", sent, headers={"accept": "application/pdf"}, on_short=True)
    assert (made.status, made.headers["content-type"]) == (200, "application/pdf")
    assert made.headers["content-disposition"].endswith('.pdf"')
    monkeypatch.setattr(drawings, "_DRAW", {})
    short_id = made.location.rpartition("/")[2]
    assert draw(world, f"/{short_id}.pdf").content == made.content


def test_a_kept_drawing_is_not_shown_when_its_link_is_gone(world: World, operator: Client, short_id: str):
    assert draw(world, f"/{short_id}.pdf").status == 200
    assert operator.delete(f"/redirections/{short_id}", on_short=True).status == 200
    assert draw(world, f"/{short_id}.pdf").status == 410
