"""Links: create, read, list, retarget, delete."""

import pytest
import zxingcpp
from PIL import Image

from fingerpost.access.service import set_account
from fingerpost.ids import ALPHABET, UPPER
from tests.functions.lists import next_page
from tests.functions.test_qr_endpoint import decoded, picture
from tests.functions.world import DOMAIN, HOUR, SUNDAY_NOON, Client, World

JSON = {"accept": "application/json"}


def create(client: Client, body, **headers: str):
    return client.post("/redirections", body, headers=JSON | headers, on_short=True)


def link(thng: str, **more):
    return {"evrythngId": thng, "defaultRedirectUrl": "https://museum.example/", **more}


# ---- create ----------------------------------------------------------------------------------------------------------


def test_a_redirection_is_created_as_json_when_accept_names_it(world: World, operator: Client):
    thng = world.thng()["id"]
    answer = world.answered("redirections/create-json", THNG=thng)
    made = answer.document
    url = f"https://museum.example/works?catalogue_id={thng}"
    assert answer.status == 201
    assert answer.location == f"https://{DOMAIN}/{made['shortId']}"
    assert made == {
        "createdAt": SUNDAY_NOON,
        "updatedAt": SUNDAY_NOON,
        "defaultRedirectUrl": url,
        "redirectUrl": url,
        "evrythngId": thng,
        "evrythngUrl": f"https://api.example/thngs/{thng}",
        "shortDomain": DOMAIN,
        "shortId": made["shortId"],
        "type": "thng",
        "hits": 0,
        "state": "active",
    }
    assert operator.read(f"/redirections/{made['shortId']}", on_short=True) == made
    assert operator.read(f"/redirections/{made['shortId']}") == made


def test_a_redirection_is_created_as_a_qr_code_when_accept_does_not_name_json(world: World, operator: Client):
    answer = world.answered("redirections/create-qr", THNG=world.thng()["id"])
    assert answer.status == 200
    assert answer.headers["content-type"] == "image/png"
    short = answer.location
    assert decoded(answer) == short.upper().replace(short.rpartition("/")[2].upper(), short.rpartition("/")[2])
    assert answer.headers["content-disposition"].split(";")[1].strip() == short
    assert world.scan(short.rpartition("/")[2]).status == 307


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("*/*", "image/png"),
        ("image/png", "image/png"),
        ("image/svg+xml", "image/svg+xml"),
        ("image/svg+xml;q=0.1, image/png;q=0.9", "image/png"),
        ("text/html", "image/png"),
        ("application/json;q=0.5, */*", "application/json"),
        ("text/html, APPLICATION/JSON", "application/json"),
    ],
)
def test_accept_decides_what_a_creation_answers(world: World, operator: Client, accept, media):
    answer = operator.post("/redirections", link(world.thng()["id"]), headers={"accept": accept}, on_short=True)
    assert answer.headers["content-type"] == media
    assert answer.status == (201 if media == "application/json" else 200)


def test_the_type_may_be_left_out_and_a_wrong_one_is_refused(world: World, operator: Client):
    thng, product = world.thng()["id"], world.product()["id"]
    assert create(operator, link(thng)).document["type"] == "thng"
    made = create(operator, link(product)).document
    assert (made["type"], made["evrythngUrl"]) == ("product", f"https://api.example/products/{product}")
    assert create(operator, link(product, type="product")).status == 201
    for wrong in ("product", "place", "x"):
        assert create(operator, link(thng, type=wrong)).status == 400


def test_short_ids_are_ten_of_the_platforms_letters_the_first_four_digits_or_capitals(world: World, operator: Client):
    thng = world.thng()["id"]
    made = [create(operator, link(thng)).document["shortId"] for _ in range(50)]
    assert len(set(made)) == 50
    for short_id in made:
        assert len(short_id) == 10 and set(short_id) <= set(ALPHABET)
        assert set(short_id[:4]) <= set(UPPER)
    assert len({short_id[:4] for short_id in made}) > 40  # no time, no order in them


def test_a_short_id_of_ones_own_leads_there_and_only_as_it_is_written(world: World, operator: Client):
    answer = world.answered("redirections/create-with-own-short-id", THNG=world.thng()["id"])
    assert (answer.status, answer.document["shortId"]) == (201, "TURF1891")
    assert world.scan("TURF1891").status == 307
    assert world.scan("turf1891").status == 404


@pytest.mark.parametrize(
    "short_id",
    [
        "redirections",
        "health",
        "Health",
        "API",
        "robots",
        "a/b",
        "a b",
        "",
        "-a",
        ".",
        "a.png",
        "ä",
        "x" * 65,
        "%41",
        "a\n",
        5,
    ],
)
def test_a_reserved_or_impossible_short_id_is_refused_and_nothing_is_stored(world: World, operator: Client, short_id):
    thng = world.thng()["id"]
    before = world.rows()
    answer = create(operator, link(thng, shortId=short_id))
    assert answer.status == 400
    assert answer.document["details"][0]["field"] == "shortId"
    assert world.rows() == before


def test_a_taken_short_id_is_a_conflict_also_for_another_account_and_after_its_deletion(world: World, operator: Client):
    thng = world.thng()["id"]
    first = create(operator, link(thng, shortId="LAMP7")).document
    before = world.rows()
    assert create(operator, link(thng, shortId="LAMP7")).status == 409
    assert world.rows() == before
    theirs = world.stranger.made("/thngs", {"name": "x"})["id"]
    assert create(world.stranger, link(theirs, shortId="LAMP7")).status == 409
    assert operator.read("/redirections/LAMP7", on_short=True) == first
    operator.delete("/redirections/LAMP7", on_short=True)
    assert create(operator, link(thng, shortId="LAMP7")).status == 409


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://x.example/",
        "/relative",
        "//x.example/",
        "x.example",
        "",
        "https://",
        "https:///path",
        "https://user:pw@x.example/",
        "https://x.example/a b",
        "https://x.example/\r\nSet-Cookie: a=b",
        "https://x.example/\n",
        "https://x.example/{",
        "https://x.example/}",
        "https://x.example/{thng.name}",
        "https://{shortId}.example/",
        "https://x.example{shortId}",
        "{shortId}",
        "https://x.example/" + "x" * 3_000,
        "https://x.example\\@evil.example/",
        5,
        None,
    ],
    ids=lambda url: str(url)[:40],
)
def test_a_default_url_that_could_be_no_target_is_refused_and_nothing_is_stored(world: World, operator: Client, url):
    thng = world.thng()["id"]
    before = world.rows()
    answer = create(operator, link(thng, defaultRedirectUrl=url))
    assert answer.status == 400
    assert answer.document["details"][0]["field"] == "defaultRedirectUrl"
    assert world.rows() == before


@pytest.mark.parametrize("thng", ["U0000000000000000000000X", "", "x", None, 5, "%00", "x" * 3_000])
def test_a_redirection_of_nothing_is_refused(world: World, operator: Client, thng):
    before = world.rows()
    answer = create(operator, link(thng))
    assert answer.status == 400 and answer.document["details"][0]["field"] == "evrythngId"
    assert world.rows() == before


def test_a_domain_that_is_not_the_accounts_is_refused(world: World, operator: Client):
    thng = world.thng()["id"]
    assert create(operator, link(thng, shortDomain=DOMAIN)).status == 201
    answer = create(operator, link(thng, shortDomain="evil.example"))
    assert answer.status == 400
    assert answer.document["details"][0]["expected"] == [DOMAIN]


def test_a_creation_repeated_with_its_idempotency_key_makes_one_link_as_json_and_as_an_image(world, operator):
    thng = world.thng()["id"]
    for accept in ("application/json", "image/png"):
        headers = {"accept": accept, "idempotency-key": accept}
        answers = [operator.post("/redirections", link(thng), headers=headers, on_short=True) for _ in range(3)]
        assert len({answer.location for answer in answers}) == 1
        assert len({answer.content for answer in answers}) == 1
    assert len(operator.read(f"/redirections?evrythngId={thng}", on_short=True)) == 2


# ---- placeholders ----------------------------------------------------------------------------------------------------


def test_placeholders_are_filled_in_at_once_in_documents_and_in_visits(world: World, operator: Client):
    product = world.product()["id"]
    thng = world.thng(product=product)["id"]
    url = "https://m.example/{evrythngId}/:evrythngId?t={thngId}&p={productId}#%7BshortId%7D"
    made = create(operator, link(thng, shortId="LAMP7", defaultRedirectUrl=url)).document
    expected = f"https://m.example/{thng}/{thng}?t={thng}&p={product}#LAMP7"
    assert made["defaultRedirectUrl"] == made["redirectUrl"] == expected
    assert world.scan("LAMP7").location == expected
    other = create(operator, link(product, defaultRedirectUrl="https://m.example/{thngId}/{productId}")).document
    assert other["redirectUrl"] == f"https://m.example//{product}"


def test_a_document_put_back_whole_keeps_the_placeholders_it_was_made_with(world: World, operator: Client):
    one, two = world.thng()["id"], world.thng()["id"]
    made = create(operator, link(one, defaultRedirectUrl="https://m.example/{evrythngId}")).document
    path = f"/redirections/{made['shortId']}"
    world.clock.now += HOUR
    assert operator.put(path, made, on_short=True).document == made
    moved = operator.put(path, {**made, "evrythngId": two}, on_short=True).document
    assert moved["defaultRedirectUrl"] == f"https://m.example/{two}"


# ---- several of one resource -----------------------------------------------------------------------------------------


def test_several_links_of_one_resource_are_listed_oldest_first(world: World, operator: Client):
    thng, other = world.thng()["id"], world.thng()["id"]
    made = []
    for number in range(5):
        world.clock.now += 1
        made.append(create(operator, link(thng, defaultRedirectUrl=f"https://m.example/{number}")).document)
    create(operator, link(other))
    assert world.answered("redirections/list-of-thng", THNG=thng).document == made
    assert operator.read("/redirections", evrythngId=thng, sortOrder="DESCENDING") == made
    assert operator.read("/redirections", evrythngId="U0000000000000000000000X") == []


def test_the_list_of_a_resources_links_has_pages(world: World, operator: Client):
    thng = world.thng()["id"]
    made = []
    for _ in range(5):
        world.clock.now += 1
        made.append(create(operator, link(thng)).document["shortId"])
    pages, answer = [], operator.get("/redirections", evrythngId=thng, perPage=2)
    while answer is not None:
        pages.append([each["shortId"] for each in answer.document])
        answer = next_page(operator, answer)
    assert pages == [made[:2], made[2:4], made[4:]]


def test_a_list_takes_no_filter(world: World, operator: Client):
    thng = world.thng()["id"]
    assert operator.get("/redirections", evrythngId=thng, filter="tags=a").status == 400
    assert operator.get("/redirections", evrythngId=thng, perPage=0).status == 400
    assert operator.get("/redirections", evrythngId=thng, nextPageToken="x").status == 400


# ---- update and delete -----------------------------------------------------------------------------------------------


def test_a_link_is_given_a_new_default_url(world: World, operator: Client):
    thng = world.thng()["id"]
    made = create(operator, link(thng)).document
    path = f"/redirections/{made['shortId']}"
    world.clock.now += HOUR
    sent = {"defaultRedirectUrl": "https://new.example/:evrythngId", "hits": 99, "shortId": "OTHER", "createdAt": 1}
    after = operator.put(path, sent, on_short=True).document
    url = f"https://new.example/{thng}"
    assert after == {**made, "defaultRedirectUrl": url, "redirectUrl": url, "updatedAt": SUNDAY_NOON + HOUR}
    assert operator.read(path, on_short=True) == after
    assert world.scan(made["shortId"]).location == url
    assert operator.put(path, {"defaultRedirectUrl": "javascript:x"}, on_short=True).status == 400
    assert operator.read(path, on_short=True) == after


def test_a_link_is_moved_to_another_resource_and_is_listed_there(world: World, operator: Client):
    thng, product = world.thng()["id"], world.product()["id"]
    made = create(operator, link(thng, defaultRedirectUrl="https://m.example/{evrythngId}")).document
    after = world.answered("redirections/retarget", SHORT_ID=made["shortId"], PRODUCT=product).document
    assert (after["evrythngId"], after["type"]) == (product, "product")
    assert after["defaultRedirectUrl"] == f"https://m.example/{product}"
    assert operator.read("/redirections", evrythngId=thng) == []
    assert operator.read("/redirections", evrythngId=product) == [after]
    assert world.scan(made["shortId"]).location == f"https://m.example/{product}"
    assert operator.put(f"/redirections/{made['shortId']}", {"evrythngId": "x"}, on_short=True).status == 400


def test_a_deleted_link_is_gone_for_operators_and_for_people(world: World, operator: Client):
    thng = world.thng()["id"]
    made = create(operator, link(thng)).document
    path = f"/redirections/{made['shortId']}"
    answer = operator.delete(path, on_short=True)
    assert (answer.status, answer.content) == (200, b"")
    for gone in (operator.get(path), operator.put(path, {}), operator.delete(path)):
        assert gone.status == 410
    assert operator.read("/redirections", evrythngId=thng) == []
    page = world.scan(made["shortId"])
    assert page.status == 410
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "no longer in use" in page.content.decode()
    assert world.nobody.get(f"/{made['shortId']}.png", on_short=True).status == 410
    assert world.stranger.get(path).status == 404


def test_a_link_outlives_its_resource_and_still_goes_to_its_default_url(world: World, operator: Client):
    product = world.product()["id"]
    thng = world.thng(product=product)["id"]
    made = create(operator, link(thng, defaultRedirectUrl="https://m.example/{thngId}")).document
    operator.publish({"match": "thng.name=*", "redirectUrl": "https://rule.example/"})
    assert world.scan(made["shortId"]).location == "https://rule.example/"
    operator.delete(f"/thngs/{thng}")
    world.settle()
    assert world.scan(made["shortId"]).location == f"https://m.example/{thng}"
    assert operator.read(f"/redirections/{made['shortId']}")["evrythngId"] == thng
    operator.delete(f"/redirections/{made['shortId']}")
    assert world.scan(made["shortId"]).status == 410


def test_a_link_that_does_not_exist_is_404(operator: Client):
    for path in ("/redirections/NOTHING1", "/redirections/%00", "/redirections/" + "x" * 3_000):
        assert operator.get(path).status == operator.put(path, {}).status == operator.delete(path).status == 404


# ---- scope and hits --------------------------------------------------------------------------------------------------


def test_a_trusted_application_manages_the_links_of_what_it_sees_and_no_others(world: World, operator: Client):
    inside = operator.made("/thngs", {"name": "in"}, project=world.project)["id"]
    outside = world.thng()["id"]
    trusted = world.trusted
    mine = create(trusted, link(inside)).document
    theirs = create(operator, link(outside)).document
    assert create(trusted, link(outside)).status == 400
    assert trusted.read("/redirections", evrythngId=inside) == [mine]
    assert trusted.read("/redirections", evrythngId=outside) == []
    for verb in ("GET", "PUT", "DELETE"):
        assert trusted.call(verb, f"/redirections/{theirs['shortId']}", {}).status == 404
    operator.delete(f"/thngs/{inside}")
    assert trusted.get(f"/redirections/{mine['shortId']}").status == 200
    assert trusted.delete(f"/redirections/{mine['shortId']}").status == 200


def test_hits_count_the_people_who_came_once_each(world: World, operator: Client):
    short_id = create(operator, link(world.thng()["id"])).document["shortId"]
    for _ in range(3):
        world.scan(short_id)
    world.answered("redirect/head", SHORT_ID=short_id)
    world.answered("redirect/prefetch", SHORT_ID=short_id)
    world.answered("redirect/link-preview", SHORT_ID=short_id)
    world.settle()
    world.feed.rewind("derive")
    world.settle()
    assert operator.read(f"/redirections/{short_id}")["hits"] == 3
    assert len(operator.read("/actions/implicitScans")) == 6


def test_a_creations_image_is_a_real_one(world: World, operator: Client):
    answer = world.answered("redirections/create-qr", THNG=world.thng()["id"])
    image = picture(answer)
    assert isinstance(image, Image.Image) and image.size == (95, 95)
    assert zxingcpp.read_barcode(image) is not None


# ---- several short domains -------------------------------------------------------------------------------------------


def test_a_link_on_another_short_domain_is_named_by_it(world: World, operator: Client):
    other = "go.example"
    set_account(world.tables, world.account, shortDomains=[DOMAIN, other])
    thng = world.thng()["id"]
    for domain in (DOMAIN, other):
        create(operator, link(thng, shortId="SAME", shortDomain=domain))
    operator.put("/redirections/SAME", {"defaultRedirectUrl": "https://other.example/"}, shortDomain=other)
    there = operator.read("/redirections/SAME", shortDomain=other)
    assert (there["shortDomain"], there["defaultRedirectUrl"]) == (other, "https://other.example/")
    assert operator.read("/redirections/SAME")["defaultRedirectUrl"] == "https://museum.example/"
    assert decoded(operator.get("/redirections/SAME.png", shortDomain=other)).lower() == f"https://{other}/same"
    operator.delete("/redirections/SAME", shortDomain=other)
    assert operator.get("/redirections/SAME", shortDomain=other).status == 410
    assert operator.get("/redirections/SAME").status == 200
    assert operator.get("/redirections/SAME", shortDomain="nobodys.example").status == 404
