"""Products and thngs: create, read, list, update, delete."""

from fingerpost import wiring
from fingerpost.catalogue import service
from fingerpost.catalogue.documents import NewProduct, NewThng, SentProduct, SentThng
from fingerpost.catalogue.model import PRODUCT, THNG
from fingerpost.edge import Answer, Edge, Request, created, no_content
from fingerpost.paging import ask_of, by_ids, listed, lister, loads, project_of
from fingerpost.resources import Kind, Resources, Stored

edge = Edge("catalogue")
handler = edge.handler


@edge.route("POST", "/products", verb="create", of="products")
def create_product(request: Request) -> Answer:
    document = service.create_product(request.caller, request.read(NewProduct), request.query.get("project"))
    return created(document, f"{wiring.settings().api_url}/products/{document['id']}")


@edge.route("GET", "/products", verb="read", of="products")
def list_products(request: Request) -> Answer:
    return _list(request, PRODUCT)


@edge.route("GET", "/products/{productId}", verb="read", of="products")
def read_product(request: Request) -> Answer:
    return _shown(request, service.read(request.caller, PRODUCT, request.parameters["productId"]))


@edge.route("PUT", "/products/{productId}", verb="update", of="products")
def update_product(request: Request) -> Answer:
    product_id = request.parameters["productId"]
    return _shown(request, service.update_product(request.caller, product_id, request.read(SentProduct)))


@edge.route("DELETE", "/products/{productId}", verb="delete", of="products")
def delete_product(request: Request) -> Answer:
    service.delete(request.caller, PRODUCT, request.parameters["productId"])
    return no_content()


@edge.route("POST", "/thngs", verb="create", of="thngs")
def create_thng(request: Request) -> Answer:
    document = service.create_thng(request.caller, request.read(NewThng), request.query.get("project"))
    return created(document, f"{wiring.settings().api_url}/thngs/{document['id']}")


@edge.route("GET", "/thngs", verb="read", of="thngs")
def list_thngs(request: Request) -> Answer:
    return _list(request, THNG)


@edge.route("GET", "/thngs/{thngId}", verb="read", of="thngs")
def read_thng(request: Request) -> Answer:
    return _shown(request, service.read(request.caller, THNG, request.parameters["thngId"]))


@edge.route("PUT", "/thngs/{thngId}", verb="update", of="thngs")
def update_thng(request: Request) -> Answer:
    thng_id = request.parameters["thngId"]
    return _shown(request, service.update_thng(request.caller, thng_id, request.read(SentThng)))


@edge.route("DELETE", "/thngs/{thngId}", verb="delete", of="thngs")
def delete_thng(request: Request) -> Answer:
    service.delete(request.caller, THNG, request.parameters["thngId"])
    return no_content()


def _list(request: Request, kind: Kind) -> Answer:
    with_scopes = request.flag("withScopes")
    if "ids" in request.query:
        stored = by_ids(request, Resources(request.caller.tables, kind))
        return Answer(document=service.show(request.caller, stored, with_scopes=with_scopes))
    ask = ask_of(request, kind.name)
    page = lister(request, kind, loads(request.caller, kind, project_of(request))).page(ask)
    return listed(request, page, service.show(request.caller, list(page.items), with_scopes=with_scopes))


def _shown(request: Request, stored: Stored) -> Answer:
    return Answer(document=service.show(request.caller, [stored], with_scopes=request.flag("withScopes"))[0])
