"""The `Table` port over DynamoDB.

A row is `pk`, `sk`, its fields, `w` and, when it expires, `expires`. `w` is the write token: when a repeated attempt of
a write finds its own token in the row, an earlier attempt, whose answer was lost, has done it. Then the old image is
not known any more and None is answered in its place.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from typing import Any

from ..clock import Clock, now_ms
from ..ports.table import (
    LAST,
    MAX_ITEM_BYTES,
    Absent,
    Add,
    Condition,
    ConditionFailed,
    FieldChange,
    Item,
    ItemTooLarge,
    Key,
    Page,
    Put,
    Row,
    Throttled,
    Uncertain,
    Unreachable,
    Write,
)
from ..retry import attempts
from .expressions import (
    ALIVE,
    GONE,
    Placeholders,
    changed,
    check_changes,
    condition_on_row,
    condition_on_update,
    from_nothing,
    hold_on_no_row,
    update_expression,
)
from .marshal import TypedItem
from .rows import (
    bare,
    check_key,
    check_sizes,
    conditional,
    found_by,
    has_token,
    if_absent,
    image,
    is_expired,
    is_storable,
    key_of,
    new_token,
    speaks_of_size,
    stored,
    stored_text,
    typed_key,
)
from .transport import DEADLINE_MS, Document, NoAnswer, Refused, Transport, encode

GET_AT_ONCE = 100
PUT_AT_ONCE = 25
ROUNDS = 10  # of what DynamoDB left undone, or of a row that expires or changes under our hands


class Consumed:
    """Running totals of capacity units, for one thread. DynamoDB does not report what a failed condition cost."""

    def __init__(self) -> None:
        self.read = 0.0
        self.write = 0.0


class DynamoTable:
    """One table. May be shared by threads, as its transport may."""

    def __init__(
        self,
        name: str,
        transport: Transport,
        *,
        clock: Clock = now_ms,
        deadline_ms: int = DEADLINE_MS,
        measure: bool = False,
    ):
        """`deadline_ms` bounds each call. With `measure`, `consumed` grows by what each call costs."""
        self.name = name
        self.consumed = Consumed()
        self._transport, self._clock, self._deadline_ms, self._measure = transport, clock, deadline_ms, measure

    def within(self, deadline_ms: int) -> "DynamoTable":
        """The same table with another patience."""
        other = copy(self)
        other._deadline_ms = deadline_ms
        return other

    # Reads

    def get(self, key: Key, *, consistent: bool = False) -> Item | None:
        if not is_storable(key):
            return None
        answer = self.call("GetItem", {"Key": typed_key(key), "ConsistentRead": consistent})
        return self._alive(answer.get("Item"), self._now_s())

    def get_many(self, keys: Sequence[Key], *, consistent: bool = False) -> dict[Key, Item]:
        wanted = [key for key in dict.fromkeys(keys) if is_storable(key)]
        if len(wanted) == 1:
            item = self.get(wanted[0], consistent=consistent)
            return {} if item is None else {wanted[0]: item}
        found: dict[Key, Item] = {}
        for start in range(0, len(wanted), GET_AT_ONCE):
            for typed in self._get_batch(wanted[start : start + GET_AT_ONCE], consistent=consistent):
                key = key_of(typed)
                if (item := self._alive(typed, self._now_s())) is not None:
                    found[key] = item
        return found

    def _get_batch(self, keys: list[Key], *, consistent: bool) -> Iterator[TypedItem]:
        """16 MB an answer, so what is left over may just be the rest."""
        request: Document = {"Keys": [typed_key(key) for key in keys], "ConsistentRead": consistent}
        for _ in attempts(ROUNDS):
            answer = self.call("BatchGetItem", {"RequestItems": {self.name: request}}, named=False)
            yield from answer["Responses"].get(self.name, ())
            if self.name not in answer.get("UnprocessedKeys", {}):
                return
            request = answer["UnprocessedKeys"][self.name]
        raise Throttled(f"{len(request['Keys'])} rows were not read")

    def query(
        self,
        pk: str,
        *,
        low: str = "",
        high: str = LAST,
        after: str | None = None,
        descending: bool = False,
        limit: int = 100,
        consistent: bool = False,
    ) -> Page:
        if limit < 1:
            raise ValueError(f"a page has at least one row, not {limit}")
        if after is not None:  # DynamoDB refuses a start outside the range
            if after < low:
                if descending:
                    return Page(())
                after = None
            elif after > high:
                if not descending:
                    return Page(())
                after = None
        payload = self._range(pk, low, high)
        if payload is None:
            return Page(())
        payload |= {"ScanIndexForward": not descending, "Limit": limit, "ConsistentRead": consistent}
        if after:
            payload["ExclusiveStartKey"] = typed_key(Key(pk, after))
        elif after == "" and descending:
            return Page(())
        answer = self.call("Query", payload)
        last = answer.get("LastEvaluatedKey")
        return Page(tuple(self._rows(answer["Items"])), None if last is None else key_of(last).sk)

    def count(self, pk: str, *, low: str = "", high: str = LAST, at_most: int = 10_000) -> int:
        """Consistent, as the lists are that it stands beside."""
        payload = self._range(pk, low, high)
        if payload is None:
            return 0
        payload |= {"Select": "COUNT", "ConsistentRead": True, "FilterExpression": ALIVE}
        payload["ExpressionAttributeValues"][":now"] = {"N": str(self._now_s())}
        counted = 0
        while counted < at_most:
            answer = self.call("Query", payload | {"Limit": at_most - counted})
            counted += answer["Count"]
            if "LastEvaluatedKey" not in answer:
                break
            payload["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        return counted

    def _range(self, pk: str, low: str, high: str) -> Document | None:
        """The condition on the key, or None when no row can meet it. Text compares as its UTF-8 does."""
        if low > high or not high or not is_storable(Key(pk, "-")):
            return None
        values: TypedItem = {":pk": {"S": pk}}
        condition = "pk = :pk"
        if low and high != LAST:
            condition += " AND sk BETWEEN :low AND :high"
        elif low:
            condition += " AND sk >= :low"
        elif high != LAST:
            condition += " AND sk <= :high"
        if low:
            values[":low"] = {"S": low}
        if high != LAST:
            values[":high"] = {"S": high}
        return {"KeyConditionExpression": condition, "ExpressionAttributeValues": values}

    def walk(self, *, segment: int = 0, segments: int = 1) -> Iterator[Row]:
        payload: Document = {"Segment": segment, "TotalSegments": segments}
        while True:
            answer = self.call("Scan", payload)
            yield from self._rows(answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            payload["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    # Writes

    def put(
        self, key: Key, item: Item, *, when: tuple[Condition, ...] = (), expires_at: int | None = None
    ) -> Item | None:
        now_s, token = self._now_s(), new_token()
        row = stored_text(key, item, expires_at, token)
        payload: Document = {"ReturnValues": "ALL_OLD"}
        if len(when) == 1 and type(when[0]) is Absent:  # every scan's
            payload |= if_absent(now_s)
        elif when:
            places = Placeholders(now_s)
            payload |= conditional(condition_on_row(when, places), places)
        try:
            answer = self.call("PutItem", payload, row=row)
        except Refused as refusal:
            found = found_by(refusal)
            if refusal.after_silence and has_token(found, token):
                return None
            raise ConditionFailed(self._alive(found, now_s)) from refusal
        old = image(answer)
        return None if has_token(old, token) else self._alive(old, now_s)

    def put_many(self, puts: Sequence[Put]) -> None:
        if any(put.when for put in puts):
            raise ValueError("put_many takes no conditions")
        if len({put.key for put in puts}) != len(puts):
            raise ValueError("put_many takes distinct keys")
        requests = [{"PutRequest": {"Item": stored(put.key, put.item, put.expires_at)}} for put in puts]
        for start in range(0, len(requests), PUT_AT_ONCE):
            self._put_batch(requests[start : start + PUT_AT_ONCE])

    def _put_batch(self, requests: list[Document]) -> None:
        for _ in attempts(ROUNDS):
            answer = self.call("BatchWriteItem", {"RequestItems": {self.name: requests}}, named=False)
            requests = answer.get("UnprocessedItems", {}).get(self.name, [])
            if not requests:
                return
        raise Throttled(f"{len(requests)} rows were not written")

    def update(
        self, key: Key, changes: tuple[FieldChange, ...], *, when: tuple[Condition, ...] = ()
    ) -> tuple[Item | None, Item]:
        check_changes(changes)
        check_key(key)
        adds = any(isinstance(change, Add) for change in changes)
        for _ in attempts(ROUNDS):
            now_s, token = self._now_s(), new_token()
            places = Placeholders(now_s)
            payload: Document = {
                "Key": typed_key(key),
                "UpdateExpression": update_expression(changes, places, token),
                "ReturnValues": "ALL_OLD",
            }
            payload |= conditional(condition_on_update(when, places), places)
            try:
                answer = self.call("UpdateItem", payload, repeatable=not adds)
            except Refused as refusal:
                found = found_by(refusal)
                if found is not None and refusal.after_silence and has_token(found, token):
                    return None, bare(found)
                if found is None or not is_expired(found, now_s) or not hold_on_no_row(when):
                    raise ConditionFailed(self._alive(found, now_s)) from refusal
            else:
                old = image(answer)
                new = bare(changed(old or {}, changes))
                return (None if old is None or has_token(old, token) else bare(old)), new
            if (new_item := self._put_over_expired(key, changes, adds=adds)) is not None:
                return None, new_item
        raise Throttled("the row expires and comes back too often")

    def _put_over_expired(self, key: Key, changes: tuple[FieldChange, ...], *, adds: bool) -> Item | None:
        """Make the row from nothing; None when there is a living one again. Fixed, so it may be repeated."""
        token, places = new_token(), Placeholders(self._now_s())
        payload = {"Item": stored(key, from_nothing(changes), None, token)} | conditional(GONE, places)
        try:
            self.call("PutItem", payload, uncertain=adds)
        except Refused as refusal:
            if not (refusal.after_silence and has_token(found_by(refusal), token)):
                return None
        return bare(changed({}, changes))

    def delete(self, key: Key, *, when: tuple[Condition, ...] = ()) -> Item | None:
        """After a lost answer the old image is not known: without conditions None is answered then, with conditions
        that no absent row meets it raises Uncertain, because the missing row may be our own doing."""
        check_key(key)
        now_s = self._now_s()
        payload: Document = {"Key": typed_key(key), "ReturnValues": "ALL_OLD"}
        if when:
            places = Placeholders(now_s)
            payload |= conditional(condition_on_row(when, places), places)
        try:
            answer = self.call("DeleteItem", payload)
        except Refused as refusal:
            found = found_by(refusal)
            if refusal.after_silence and found is None:
                raise Uncertain("the row is gone: by this delete, or before it") from refusal
            raise ConditionFailed(self._alive(found, now_s)) from refusal
        return self._alive(image(answer), now_s)

    def transact(self, writes: Sequence[Write]) -> None:
        from .transactions import transact  # noqa: PLC0415 (the redirect has none)

        transact(self, writes, self._now_s)

    # What all of them share

    def call(
        self,
        action: str,
        payload: Document,
        *,
        row: str = "",
        named: bool = True,
        repeatable: bool = True,
        uncertain: bool = False,
    ) -> Document:
        """One call, its failures in the port's words. What remains `Refused` is a failed condition or a transaction's.

        `row` is the Item, in JSON already. `uncertain`: a lost answer is Uncertain though the call may be repeated.
        Raises ValueError for what DynamoDB finds malformed.
        """
        if named:
            payload["TableName"] = self.name
        if self._measure:
            payload["ReturnConsumedCapacity"] = "TOTAL"
        text = encode(payload)
        body = (f'{{"Item":{row},{text[1:]}' if row else text).encode()
        if len(body) > MAX_ITEM_BYTES:  # the typed JSON is longer than the item, so nearly all calls skip this
            check_sizes(json.loads(body) if row else payload)
        try:
            answer = self._transport.call(action, body, deadline_ms=self._deadline_ms, repeatable=repeatable)
        except NoAnswer as silence:
            if silence.perhaps_done and (uncertain or not repeatable):
                raise Uncertain(str(silence)) from silence
            raise Unreachable(str(silence)) from silence
        except Refused as refusal:
            if refusal.throttled:
                raise Throttled(str(refusal)) from refusal
            if refusal.code == "ValidationException":
                if speaks_of_size(refusal.message):
                    raise ItemTooLarge(refusal.message) from refusal
                raise ValueError(refusal.message) from refusal
            raise
        if self._measure:
            self._note(action, answer.get("ConsumedCapacity"))
        return answer

    def _note(self, action: str, consumed: Any) -> None:
        entries = consumed if isinstance(consumed, list) else [consumed or {}]
        units = sum(entry.get("CapacityUnits", 0.0) for entry in entries)
        if action in ("GetItem", "BatchGetItem", "Query", "Scan"):
            self.consumed.read += units
        else:
            self.consumed.write += units

    def _rows(self, typed_items: Iterable[TypedItem]) -> Iterator[Row]:
        now_s = self._now_s()
        for typed in typed_items:
            key = key_of(typed)
            if (item := self._alive(typed, now_s)) is not None:
                yield Row(key, item)

    def _alive(self, typed: TypedItem | None, now_s: int) -> Item | None:
        return None if typed is None or is_expired(typed, now_s) else bare(typed)

    def _now_s(self) -> int:
        return self._clock() // 1000
