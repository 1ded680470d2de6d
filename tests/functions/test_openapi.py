"""The description of the API: true to the code, valid, and readable."""

import importlib
import json
import re
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel

from fingerpost.edge import Answer, Edge
from fingerpost.local.functions import EDGES
from fingerpost.openapi import FILE, PARAMETERS, VERSION, as_text, described
from fingerpost.openapi_page import description, openapi_page

ROOT = Path(__file__).resolve().parents[2]


def edges():
    return [importlib.import_module(f"functions.{name}.app").edge for name in EDGES]


class Lamp(BaseModel):
    name: str


def test_the_file_is_what_the_code_says():
    assert FILE.read_text(encoding="utf-8") == as_text(described(edges())), "run `make openapi`"


def test_the_description_is_openapi():
    OpenAPIV31SpecValidator(description()).validate()


def test_every_route_of_every_function_is_described():
    paths = description()["paths"]
    for edge in edges():
        for method, template in edge.routes:
            assert method.lower() in paths[template], (method, template)


def test_the_version_is_the_packages():
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


def test_a_route_says_what_it_takes_and_answers():
    edge = Edge("lamps")

    @edge.route(
        "POST", "/lamps/{lampId}", verb="create", of="lamps", body=Lamp, answers=list[Lamp], status=201, query=("w",)
    )
    def light_lamp(_request):
        """Light it.

        It stays lit.
        """
        return Answer()

    operation = described([edge])["paths"]["/lamps/{lampId}"]["post"]
    assert (operation["operationId"], operation["summary"]) == ("lightLamp", "Light it.")
    assert operation["description"] == "It stays lit."
    assert [(each["in"], each["name"]) for each in operation["parameters"]] == [("path", "lampId"), ("query", "w")]
    lamp = {"$ref": "#/components/schemas/Lamp"}
    assert operation["requestBody"]["content"]["application/json"]["schema"] == lamp
    answer = operation["responses"]["201"]["content"]["application/json"]["schema"]
    assert answer == {"type": "array", "items": lamp}
    assert operation["security"] == [{"key": []}]


def test_an_unknown_parameter_is_a_mistake_that_shows():
    edge = Edge("lamps")
    edge.route("GET", "/lamps", query=("colour",))(lambda _request: Answer())
    with pytest.raises(KeyError):
        described([edge])


def test_every_parameter_has_a_description():
    assert all(re.fullmatch(r"[A-Z].*\.", says) for says, _ in PARAMETERS.values())


def test_clients_get_it_without_a_key_and_with_the_address_of_this_deployment(world):
    answer = world.nobody.get("/openapi.json")
    assert answer.document["servers"] == [{"url": "https://api.example"}]
    assert {**answer.document, "servers": [{"url": "/"}]} == json.loads(FILE.read_text())


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.tags = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.add(tag)
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.links += [attributes["href"]] if "href" in attributes else []


def test_the_page_shows_each_operation_and_no_link_of_it_leads_nowhere():
    page = Page(openapi_page(description()))
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    operations = [each for path in description()["paths"].values() for each in path.values()]
    assert {each["operationId"] for each in operations} <= set(page.ids)
    assert "script" not in page.tags


def test_the_page_is_served_to_who_has_no_key(world):
    answer = world.nobody.get("/docs")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
