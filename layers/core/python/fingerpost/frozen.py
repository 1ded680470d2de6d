"""Values with named fields, declared as dataclasses are, for what the redirect imports.

`dataclasses` itself, with one class generated after another, is a third of that function's cold start; a `Frozen` class
costs one line of generated code, and making a value of it is cheaper too. Elsewhere use dataclasses.

That fields are never set again is checked by mypy, not at run time.
"""

from typing import Any, Self, dataclass_transform


@dataclass_transform(frozen_default=True)
class _Fields(type):
    """Turns annotations into slots and an `__init__`."""

    _names: tuple[str, ...]  # of the fields

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], *, kw_only: bool = False) -> Any:
        fields = tuple(namespace.get("__annotations__", ()))
        defaults = {field: namespace.pop(field) for field in fields if field in namespace}
        namespace["__slots__"] = fields
        if fields or "__match_args__" not in namespace:
            namespace["__match_args__"] = () if kw_only else fields
        namespace["__init__"] = _init(fields, defaults, kw_only=kw_only)
        made = super().__new__(cls, name, bases, namespace)
        made._names = fields
        return made


def _init(fields: tuple[str, ...], defaults: dict[str, Any], *, kw_only: bool) -> Any:
    parameters = [f"{field}=_{field}" if field in defaults else field for field in fields]
    star = ["*"] if kw_only and fields else []
    lines = "; ".join(f"self.{field} = {field}" for field in fields) or "pass"
    made: dict[str, Any] = {}
    known = {f"_{field}": value for field, value in defaults.items()}
    exec(f"def __init__({', '.join(['self', *star, *parameters])}): {lines}", known, made)  # noqa: S102 - our own names
    return made["__init__"]


class Frozen(metaclass=_Fields):
    """Equal when of one class with equal fields. `copy.replace` makes a changed one."""

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(getattr(self, field) == getattr(other, field) for field in type(self)._names)

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, field) for field in type(self)._names)))

    def __repr__(self) -> str:
        fields = ", ".join(f"{field}={getattr(self, field)!r}" for field in type(self)._names)
        return f"{type(self).__name__}({fields})"

    def __replace__(self, **changes: Any) -> Self:
        fields = {field: getattr(self, field) for field in type(self)._names}
        return type(self)(**{**fields, **changes})

    def __getstate__(self) -> dict[str, Any]:
        return {field: getattr(self, field) for field in type(self)._names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for field, value in state.items():
            setattr(self, field, value)
