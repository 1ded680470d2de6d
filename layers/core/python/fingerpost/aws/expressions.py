"""The port's conditions and changes as DynamoDB's expressions, and what they mean for a row that is not there.

Every name and value stands behind a placeholder, so nothing a tenant chooses is ever read as an expression.
`pk`, `sk`, `w` (the write token) and `expires` (epoch seconds, the time-to-live attribute) belong to the adapter.
"""

from collections.abc import Iterable, Sequence

from ..ports.table import Absent, AbsentOrBelow, Add, AtMost, Condition, Equals, FieldChange, Item, Present, Remove, Set
from .marshal import Typed, TypedItem, from_typed, number_text, to_typed

OWN_FIELDS = frozenset({"pk", "sk", "w", "expires"})
UNTOKENED = "-"  # in `w` where it must not be missing
GONE = "attribute_not_exists(pk) OR expires <= :now"
ALIVE = "attribute_not_exists(expires) OR expires > :now"


class Placeholders:
    """The names and values of one request's expressions."""

    def __init__(self, now_s: int):
        self.names: dict[str, str] = {}
        self.values: TypedItem = {":now": {"N": str(now_s)}}

    def name(self, field: str) -> str:
        """Raises ValueError for a field of the adapter's own."""
        check_field(field)
        return self._name(field)

    def _name(self, field: str) -> str:
        placeholder = f"#{len(self.names)}"
        self.names[placeholder] = field
        return placeholder

    def value(self, typed: Typed) -> str:
        placeholder = f":{len(self.values)}"
        self.values[placeholder] = typed
        return placeholder

    def parameters(self) -> dict[str, object]:
        """DynamoDB refuses an empty map of names."""
        if self.names:
            return {"ExpressionAttributeNames": self.names, "ExpressionAttributeValues": self.values}
        return {"ExpressionAttributeValues": self.values}


def check_field(field: str) -> None:
    if field in OWN_FIELDS or not field:
        raise ValueError(f"a row's field cannot be named {field!r}")


def condition_on_row(when: Iterable[Condition], places: Placeholders) -> str:
    """For a put, a delete or a check: an expired row counts as none. AND binds before OR; DynamoDB refuses needless
    parentheses."""
    conditions = tuple(when)
    plain = " AND ".join(_plain(condition, places) for condition in conditions)
    return f"expires <= :now OR {plain}" if hold_on_no_row(conditions) else f"({ALIVE}) AND {plain}"


def condition_on_update(when: Iterable[Condition], places: Placeholders) -> str:
    """An update may only touch a row that is alive, or none: it would keep an expired row's other fields."""
    plain = "".join(f" AND {_plain(condition, places)}" for condition in when)
    return f"({ALIVE}){plain}" if plain else ALIVE


def hold_on_no_row(when: Iterable[Condition]) -> bool:
    return all(isinstance(condition, Absent | AbsentOrBelow) for condition in when)


def _plain(condition: Condition, places: Placeholders) -> str:
    match condition:
        case Absent():
            return "attribute_not_exists(pk)"
        case Present():
            return "attribute_exists(pk)"
        case Equals(field, value):
            return f"{places.name(field)} = {places.value(to_typed(value))}"
        case AtMost(field, value):
            return f"{places.name(field)} <= {places.value(_bound(value))}"
        case AbsentOrBelow(field, value):
            name = places.name(field)
            return f"(attribute_not_exists({name}) OR {name} < {places.value(_bound(value))})"


def _bound(value: str | int | float) -> Typed:
    if isinstance(value, bool):
        raise ValueError(f"a condition cannot order by {value}")
    return to_typed(value)


def update_expression(changes: Sequence[FieldChange], places: Placeholders, token: str | None) -> str:
    """Leaves `token` in the row, unless a transaction's own token makes that needless. A row never is its key alone."""
    sets, removals, additions = [], [], []
    for change in changes:
        match change:
            case Set(field, value):
                sets.append(f"{places.name(field)} = {places.value(to_typed(value))}")
            case Remove(field):
                removals.append(places.name(field))
            case Add(field, amount):
                additions.append(f"{places.name(field)} {places.value({'N': number_text(amount)})}")
    if token is not None or not (sets or additions):
        sets.append(f"w = {places.value({'S': token or UNTOKENED})}")
    parts = {"SET": sets, "REMOVE": removals, "ADD": additions}
    return " ".join(f"{word} {', '.join(clauses)}" for word, clauses in parts.items() if clauses)


def check_changes(changes: tuple[FieldChange, ...]) -> None:
    """Raises ValueError when a field is changed twice, which DynamoDB refuses."""
    fields = [change.field for change in changes]
    if len(set(fields)) != len(fields):
        raise ValueError(f"an update changes a field twice: {fields}")
    for field in fields:
        check_field(field)


def from_nothing(changes: Iterable[FieldChange]) -> Item:
    """The row an update makes where there is none."""
    item: Item = {}
    for change in changes:
        match change:
            case Set(field, value):
                item[field] = value
            case Add(field, amount):
                item[field] = amount
    return item


def changed(old: TypedItem, changes: Iterable[FieldChange]) -> TypedItem:
    """The row an update makes of `old`: DynamoDB answers one of both images, so the other is computed."""
    new = dict(old)
    for change in changes:
        match change:
            case Set(field, value):
                new[field] = to_typed(value)
            case Remove(field):
                new.pop(field, None)
            case Add(field, amount):
                new[field] = {"N": sum_text(new[field]["N"], amount) if field in new else number_text(amount)}
    return new


def sum_text(text: str, amount: int | float) -> str:
    """DynamoDB adds decimals, so 0.1 + 0.2 is 0.3 there."""
    present = from_typed({"N": text})
    if isinstance(present, int) and isinstance(amount, int):
        return str(present + amount)
    from decimal import Context, Decimal  # noqa: PLC0415 (the redirect adds no fractions)

    digits = Context(prec=38)  # for normalising too: the thread's own context would round to 28
    return format(digits.normalize(digits.add(Decimal(text), Decimal(number_text(amount)))), "f")
