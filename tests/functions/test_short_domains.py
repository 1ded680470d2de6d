"""Several short domains of an account: taken, used by redirections and projects, given back."""

import pytest

from fingerpost import wiring
from fingerpost.redirection import links
from fingerpost.redirection.domains import ShortDomains
from tests.functions.people import application_of
from tests.functions.world import API_URL, DOMAIN, Client, World

OTHER = "go.example"
DEFAULT = "https://x.example/"


def path_of(world: World, domain: str = "") -> str:
    path = f"/accounts/{world.account}/shortDomains"
    return f"{path}/{domain}" if domain else path


def take(world: World, domain: str = OTHER) -> None:
    world.operator.made(path_of(world), {"shortDomain": domain})


def refusal(answer) -> str:
    return f"{answer.status} {answer.document['errors'][0]}"


def test_an_accounts_short_domains_are_listed_plainly_and_as_documents(world: World, operator: Client):
    begun = world.clock()
    world.clock.now += 1_000
    take(world)
    assert operator.read(path_of(world)) == [DOMAIN, OTHER]
    first, second = operator.read(f"/accounts/{world.account}/domains")
    assert first == {
        "id": first["id"],
        "accountId": world.account,
        "domain": DOMAIN,
        "createdAt": begun,
        "updatedAt": begun,
    }
    assert (second["domain"], second["createdAt"]) == (OTHER, begun + 1_000)


def test_a_domain_is_taken_and_given_back(world: World, operator: Client):
    answer = world.answered("access/take-short-domain")
    assert (answer.status, answer.document) == (201, [DOMAIN, OTHER])
    assert world.answered("access/take-short-domain").status == 409
    world.clock.now += 1_000
    assert world.answered("access/give-short-domain-back").status == 200
    assert operator.read(path_of(world)) == [DOMAIN]
    assert world.answered("access/give-short-domain-back").status == 404
    world.clock.now += 1_000
    assert world.answered("access/take-short-domain").status == 201
    told = [each["after"]["shortDomains"] for each in operator.read("/audit", resource=world.account)[:3]]
    assert told == [[DOMAIN, OTHER], [DOMAIN], [DOMAIN, OTHER]]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "example",
        "https://go.example",
        "go.example/",
        "*.example",
        "-go.example",
        "go_.example",
        "go..example",
        "127.0.0.1",
        "go.example:8001:1",
        "go#.example",
        "a" * 64 + ".example",
        "a." * 130 + "example",
        7,
        None,
    ],
)
def test_what_is_no_host_is_no_short_domain(world: World, operator: Client, name):
    assert operator.post(path_of(world), {"shortDomain": name}).status == 400
    assert operator.read(path_of(world)) == [DOMAIN]


def test_a_name_of_other_letters_is_kept_in_its_ascii_form(world: World, operator: Client):
    assert operator.made(path_of(world), {"shortDomain": "MÜSEUM.example."})[1] == "xn--mseum-kva.example"


def test_a_domain_is_one_accounts_until_it_is_given_back(world: World, operator: Client):
    take(world)
    stranger = world.stranger
    theirs = f"/accounts/{stranger.read('/access')['account']}/shortDomains"
    assert (
        refusal(stranger.post(theirs, {"shortDomain": OTHER}))
        == f"409 The short domain {OTHER} is taken; choose another"
    )
    assert stranger.read(theirs) == [DOMAIN]
    assert stranger.delete(f"{theirs}/{OTHER}").status == 404
    assert operator.delete(path_of(world, OTHER)).status == 200
    assert stranger.made(theirs, {"shortDomain": OTHER}) == [DOMAIN, OTHER]
    assert operator.post(path_of(world), {"shortDomain": OTHER}).status == 409


def test_the_deployments_own_domain_is_every_accounts(world: World, operator: Client):
    assert "every account has" in refusal(operator.post(path_of(world), {"shortDomain": DOMAIN}))
    assert "every account keeps" in refusal(operator.delete(path_of(world, DOMAIN)))


def test_only_hosts_that_lead_to_the_deployment_are_taken_where_it_names_them(
    world: World, operator: Client, monkeypatch
):
    settings = wiring.Settings(api_url=API_URL, short_domain=DOMAIN, short_scheme="https", further_domains=(OTHER,))
    monkeypatch.setattr(wiring, "settings", lambda: settings)
    assert "does not lead here" in refusal(operator.post(path_of(world), {"shortDomain": "two.example"}))
    assert operator.post(path_of(world), {"shortDomain": OTHER}).status == 201


def test_an_account_has_a_hundred_at_most(world: World, operator: Client):
    for number in range(99):
        take(world, f"go{number}.example")
    assert "at most 100" in refusal(operator.post(path_of(world), {"shortDomain": OTHER}))


# ---- redirections ----------------------------------------------------------------------------------------------------


def test_a_domain_with_redirections_is_not_given_back(world: World, operator: Client):
    take(world)
    thng = world.thng()["id"]
    operator.link(thng, shortId="TURF", shortDomain=OTHER)
    said = refusal(operator.delete(path_of(world, OTHER)))
    assert said == f"409 {OTHER} has 1 link, such as {OTHER}/TURF; delete them first"
    operator.link(thng, shortId="OTHER", shortDomain=OTHER)  # it is open again
    assert "has 2 links" in refusal(operator.delete(path_of(world, OTHER)))
    for short_id in ("TURF", "OTHER"):
        assert operator.delete(f"/redirections/{short_id}", shortDomain=OTHER).status == 200
    assert operator.delete(path_of(world, OTHER)).status == 200
    assert operator.get("/redirections/TURF", shortDomain=OTHER).status == 410


@pytest.mark.parametrize("as_operator", [True, False])
def test_a_link_that_is_just_being_made_is_not_left_on_a_domain_that_goes(
    world: World, operator: Client, monkeypatch, as_operator
):
    take(world)
    thng = operator.made("/thngs", {"name": "x"}, project=world.project)["id"]
    client = operator if as_operator else world.trusted
    relisted = links.relisted

    def slowly(tables, before, after, write):
        def write_later():
            assert operator.delete(path_of(world, OTHER)).status == 200
            return write()

        return relisted(tables, before, after, write_later)

    sent = {"evrythngId": thng, "defaultRedirectUrl": DEFAULT, "shortDomain": OTHER}
    with monkeypatch.context() as patched:
        patched.setattr(links, "relisted", slowly)
        answer = client.post("/redirections", sent, headers={"accept": "application/json"})
    assert refusal(answer) == f"409 The account gives its short domain {OTHER} back; choose another"
    assert operator.read("/redirections", evrythngId=thng) == operator.read("/redirections", shortDomain=OTHER) == []


def test_an_interrupted_return_is_gone_on_with(world: World, operator: Client, monkeypatch):
    class Interrupted(BaseException):
        pass

    def stop(*_):
        raise Interrupted

    take(world)
    thng = world.thng()["id"]
    with monkeypatch.context() as patched, pytest.raises(Interrupted):
        patched.setattr(ShortDomains, "_leave_projects", stop)
        operator.delete(path_of(world, OTHER))
    sent = {"evrythngId": thng, "defaultRedirectUrl": DEFAULT, "shortDomain": OTHER}
    assert operator.post("/redirections", sent).status == 409
    assert operator.delete(path_of(world, OTHER)).status == 200
    take(world)
    operator.link(thng, shortDomain=OTHER)


# ---- projects --------------------------------------------------------------------------------------------------------


def test_a_redirection_names_its_domain_and_a_projects_keys_have_the_projects_own(world: World, operator: Client):
    take(world)
    thng = operator.made("/thngs", {"name": "x"}, project=world.project)["id"]
    assert operator.link(thng, shortDomain=OTHER)["shortDomain"] == OTHER
    assert operator.put(f"/projects/{world.project}", {"shortDomains": [OTHER]}).status == 200
    assert world.trusted.link(thng)["shortDomain"] == OTHER
    sent = {"evrythngId": thng, "defaultRedirectUrl": DEFAULT, "shortDomain": DOMAIN}
    assert world.trusted.post("/redirections", sent, on_short=True).status == 400
    assert operator.put(f"/projects/{world.project}", {"shortDomains": ["three.example"]}).status == 400
    other = application_of(world, operator.made("/projects", {"name": "x", "shortDomains": [DOMAIN]})["id"])
    second = other["trusted"].made("/thngs", {"name": "y"})["id"]
    assert other["trusted"].link(second)["shortDomain"] == DOMAIN


def test_projects_let_go_of_a_domain_unless_one_has_no_other(world: World, operator: Client):
    take(world)
    made = {name: operator.made("/projects", {"name": name})["id"] for name in ("Both", "Alone")}
    alone = f"/projects/{made['Alone']}"
    operator.put(alone, {"shortDomains": [OTHER]})
    said = refusal(operator.delete(path_of(world, OTHER)))
    assert said == f"409 {OTHER} is the only short domain of 1 project, such as Alone; give it another first"
    assert operator.read(f"/projects/{made['Both']}")["shortDomains"] == [DOMAIN, OTHER]
    operator.put(alone, {"shortDomains": [OTHER, DOMAIN]})
    world.clock.now += 1_000
    assert operator.delete(path_of(world, OTHER)).status == 200
    assert {tuple(operator.read(f"/projects/{each}")["shortDomains"]) for each in made.values()} == {(DOMAIN,)}
    assert operator.read("/audit", resource=made["Both"])[0]["after"]["shortDomains"] == [DOMAIN]
    assert operator.put(alone, {"shortDomains": [OTHER]}).status == 400
