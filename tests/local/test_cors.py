"""Pages of other origins: the local server answers them as the deployment's gateway does."""

import httpx
import pytest

from fingerpost.local import cors
from tests.local.serving import Served
from tests.template import TEMPLATE

ASKS = {"origin": "https://shop.example", "access-control-request-method": "PUT"}


@pytest.fixture(scope="module")
def served():
    with Served().running() as running:
        yield running


def test_a_page_may_ask_before_it_sends_and_no_function_is_called(served):
    for base in (served.api, served.short):
        answer = httpx.options(f"{base}/redirections", headers=ASKS, trust_env=False)
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers.get_list("access-control-allow-origin") == ["*"]
        assert answer.headers["access-control-allow-methods"] == "*"
        assert answer.headers["access-control-allow-headers"] == ",".join(cors.ALLOW_HEADERS)
        assert answer.headers["access-control-max-age"] == "3600"


def test_a_page_may_read_answers_and_refusals_and_the_headers_that_clients_follow(served):
    for path in ("/access", "/nothing/there"):
        answer = httpx.get(served.api + path, headers={"origin": "https://shop.example"}, trust_env=False)
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "link" in answer.headers["access-control-expose-headers"].split(",")


def test_who_names_no_origin_is_told_nothing_of_origins(served):
    answer = httpx.get(served.api + "/access", trust_env=False)
    assert [name for name in answer.headers if name.startswith("access-control-")] == []


def test_an_options_request_that_no_browser_sent_goes_to_its_function(served):
    assert httpx.options(served.api + "/access", trust_env=False).json()["function"] == "access"


def test_the_deployment_allows_the_same():
    configured = TEMPLATE["Resources"]["Api"]["Properties"]["CorsConfiguration"]
    assert tuple(configured["AllowHeaders"]) == cors.ALLOW_HEADERS
    assert tuple(configured["ExposeHeaders"]) == cors.EXPOSE_HEADERS
    assert (configured["AllowOrigins"], configured["AllowMethods"]) == (["*"], ["*"])
    assert configured["MaxAge"] == cors.MAX_AGE_SECONDS
