"""URL templates: where a reaction goes. Read when a rule is saved, filled at a scan. Standard library only.

    https://example.com/{thng.name}?tags={thng.tags}#{shop}

A value can fill a piece of the path, the query or the fragment and change nothing else: the scheme, the host and the
port are the template's own text, and what a value brings is percent-encoded for where it stands. A saved template is
a list as JSON: texts, already fit for a `Location` header, and `[field, part]` pairs.
"""

import json
import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Literal, NamedTuple

from ..errors import Finding, Invalid
from ..frozen import Frozen

MAX_TEMPLATE_CHARACTERS = 2_048
MAX_URL_CHARACTERS = 8_000  # a Location header has to stay below 8 KB
DEFAULT_URL_FIELDS = ("evrythngId", "thngId", "productId", "shortId")

type Part = Literal["path", "query", "fragment"]

_CONSTANT = "constants."
_PLAIN = re.compile(r"[A-Za-z0-9_.~-]*")
_PLAIN_IN_PATH = re.compile(r"[A-Za-z0-9_.~/-]*")
_BYTES = [chr(byte) if _PLAIN.fullmatch(chr(byte)) else f"%{byte:02X}" for byte in range(256)]
_BYTES_IN_PATH = [*_BYTES[: ord("/")], "/", *_BYTES[ord("/") + 1 :]]


class InvalidTemplate(Invalid):
    """A URL template does not parse, or what it makes could not be a redirect's target. `details` has the column."""

    code = "invalidTemplate"


class UnknownTemplateField(InvalidTemplate):
    """A URL template is in order but for fields that do not exist; one finding for each.

    The lenient door (a redirector's PUT) stores such a rule with the findings as warnings; it never matches.
    """


class Hole(NamedTuple):
    """A place that a value fills: a context field, or `constants.<name>`."""

    field: str
    part: Part


class Template(Frozen):
    """Texts, ASCII and already encoded, and the holes between them. The first text holds the scheme and the host."""

    pieces: tuple[str | Hole, ...]

    @property
    def fields(self) -> frozenset[str]:
        """The context fields it reads; a rule's own constants are not among them."""
        return frozenset(
            [each.field for each in self.pieces if isinstance(each, Hole) and not each.field.startswith(_CONSTANT)]
        )

    @property
    def host(self) -> str:
        """The host (without the port) every filled URL has, in lower case."""
        authority = re.split("[/?#]", str(self.pieces[0]).partition("://")[2], maxsplit=1)[0]
        return re.sub(r":[0-9]+$", "", authority).lower()


def to_json(template: Template) -> list[Any]:
    return [piece if isinstance(piece, str) else [*piece] for piece in template.pieces]


def from_json(pieces: list[Any]) -> Template:
    return Template(tuple([piece if isinstance(piece, str) else Hole(*piece) for piece in pieces]))


def fill(template: Template, context: Mapping[str, Any], constants: Mapping[str, Any] | None = None) -> str | None:
    """The URL for one scan; None when it would be longer than 8,000 characters, and the caller takes another target.

    Never raises. The answer is ASCII without spaces, quotes, `<`, `>` or line breaks, whatever the values hold.
    An absent field is empty, and so is the segment of a path that a value would turn into `.` or `..`: browsers
    resolve such segments even when they are encoded (`%2E%2E`), so no spelling of them is safe from climbing.
    """
    texts: list[str] = []
    length = 0
    for piece in template.pieces:
        if isinstance(piece, str):
            text = piece
        else:
            field, part = piece
            if not field.startswith(_CONSTANT):
                value = context.get(field)
            else:
                value = constants.get(field[len(_CONSTANT) :]) if constants else None
            text = _shown(value, part)
        length += len(text)
        if length > MAX_URL_CHARACTERS:
            return None
        texts.append(text)
    url = "".join(texts)
    return _without_dot_segments(template, texts) if "/." in url or "/%2" in url else url


def _shown(value: object, part: Part) -> str:
    """A value as it stands in a URL: encoded text, numbers and booleans as in JSON, members of lists with commas."""
    match value:
        case str():
            return _encoded(value, part)
        case bool():
            return "true" if value else "false"
        case int():
            return str(value) if value.bit_length() < 1_024 else ""
        case float() if math.isfinite(value):
            whole = value.is_integer() and abs(value) < 2**53
            return _encoded(str(int(value)) if whole else json.dumps(value), part)
        case list() | tuple():
            return ",".join(_members(value, part))
        case dict():
            return _encoded(json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str), part)
        case _:
            return ""


def _members(values: Iterable[object], part: Part) -> list[str]:
    """The members of a list as text, up to the first that no longer fits any URL."""
    texts: list[str] = []
    length = 0
    for value in values:
        texts.append(_shown(value, part))
        length += len(texts[-1]) + 1
        if length > MAX_URL_CHARACTERS + 1:
            break
    return texts


def _encoded(text: str, part: Part) -> str:
    """Percent-encode all but letters, digits and `-._~`, and `/` in a path."""
    if len(text) > MAX_URL_CHARACTERS:
        text = text[: MAX_URL_CHARACTERS + 1]  # still too long for a URL, and encoded in bounded time
    plain, table = (_PLAIN_IN_PATH, _BYTES_IN_PATH) if part == "path" else (_PLAIN, _BYTES)
    return text if plain.fullmatch(text) else "".join([table[byte] for byte in text.encode("utf-8", "replace")])


def _without_dot_segments(template: Template, texts: list[str]) -> str:
    """Empty each path segment that a value made `.` or `..`; such a segment of the template's own text stays."""
    pairs = zip(template.pieces, texts, strict=True)
    url = "".join([text.replace(".", "\0") if isinstance(piece, str) else text for piece, text in pairs])
    end = min([at for mark in "?#" if (at := url.find(mark)) >= 0], default=len(url))
    path = re.sub(r"/((?:[.\0]|%2[Ee]){1,2})(?=/|$)", lambda found: "/" if "." in found[1] else found[0], url[:end])
    return (path + url[end:]).replace("\0", ".")


def parse_template(
    text: str,
    *,
    known: Callable[[str], bool],
    constants: Collection[str] = (),
    nearest: Callable[[str], str | None] = lambda _: None,
    document_field: str = "redirectUrl",
) -> Template:
    """Read a rule's URL template. `known` says whether a name is a context field, `nearest` suggests one.

    A bare name is a context field first and one of the rule's `constants` second; `{timestamp}` is `{time}`.
    Raises InvalidTemplate for what could never be a target, and only then UnknownTemplateField.
    """

    def resolve(name: str) -> str | None:
        if name == "timestamp":
            return "time"
        if name.startswith(_CONSTANT):
            return name if name[len(_CONSTANT) :] in constants else None
        if known(name):
            return name
        return _CONSTANT + name if name in constants else None

    tokens = _tokens(text, document_field)
    check_target(text, tokens, document_field)
    findings = [
        Finding(
            field=document_field,
            message=_unknown(token.name),
            column=token.column,
            near=token.name,
            suggestion=nearest(token.name),
        )
        for token in tokens
        if isinstance(token, _Name) and resolve(token.name) is None
    ]
    if findings:
        raise UnknownTemplateField(f"{document_field}: {findings[0].message}", details=findings)
    return _template(tokens, lambda name: resolve(name) or name)


def parse_default_url(text: str, *, document_field: str = "defaultRedirectUrl") -> Template:
    """Read a redirection's default URL, whose placeholders can be `{evrythngId}` (or `:evrythngId`), `{thngId}`,
    `{productId}` and `{shortId}` only; it is filled from a context with these names. Raises InvalidTemplate."""
    tokens = _tokens(text, document_field, colon_name="evrythngId")
    check_target(text, tokens, document_field)
    allowed = tuple(f"{{{name}}}" for name in DEFAULT_URL_FIELDS)
    for token in tokens:
        if isinstance(token, _Name) and token.name not in DEFAULT_URL_FIELDS:
            message = f"'{{{token.name[:60]}}}' is no placeholder of a default URL; there are {', '.join(allowed)}"
            raise _refusal(document_field, message, token.column, near=token.name, expected=allowed)
    return _template(tokens, lambda name: name)


class _Name(NamedTuple):
    """What stands between two braces, and the column of the opening one."""

    name: str
    column: int


class _Text(NamedTuple):
    text: str
    column: int


type _Token = _Name | _Text


def check_target(text: str, tokens: list[_Token], document_field: str) -> None:
    """Raises InvalidTemplate unless `text` is an absolute http(s) URL with a scheme, host and port of its own."""
    from .target import target_problem  # noqa: PLC0415 - a scan need not load it

    texts = [token for token in tokens if isinstance(token, _Text)]
    holes = [token.column for token in tokens if isinstance(token, _Name)]
    if finding := target_problem(document_field, text, texts, holes):
        raise InvalidTemplate(f"{document_field}: {finding.message}", details=[finding])


def _tokens(text: str, document_field: str, colon_name: str | None = None) -> list[_Token]:
    """Take a template apart at its braces, plain or as %7B and %7D."""
    if len(text) > MAX_TEMPLATE_CHARACTERS:
        raise _refusal(document_field, f"a URL template has at most {MAX_TEMPLATE_CHARACTERS:,} characters", None)
    tokens: list[_Token] = []
    opened = end = 0  # the column of an open brace; where the text after the last brace starts
    for brace in re.finditer(r"[{}]|%7[BbDd]", text):
        opening, column = brace[0] in ("{", "%7B", "%7b"), brace.start() + 1
        between = text[end : brace.start()]
        if opening and opened:
            raise _refusal(
                document_field, "a '{' inside a placeholder: close the first with '}'", column, near=between[-24:]
            )
        if not opening and not opened:
            message = "a '}' without its '{'; braces stand around field names only"
            raise _refusal(document_field, message, column, near=between[-24:])
        if opening:
            tokens += _colon_names(between, end + 1, colon_name)
            opened = column
        else:
            name = _percent_decoded(between).strip()
            if not name:
                message = "an empty placeholder: write a field's name between the braces, as in {thng.id}"
                raise _refusal(document_field, message, opened, near=text[opened - 1 : brace.end()])
            tokens.append(_Name(name, opened))
            opened = 0
        end = brace.end()
    if opened:
        raise _refusal(document_field, "a '{' without its '}'", opened, near=text[opened - 1 :][:24], expected=("}",))
    return [*tokens, *_colon_names(text[end:], end + 1, colon_name)]


def _colon_names(text: str, column: int, name: str | None) -> list[_Token]:
    """A text, or the texts around each `:name` in it; none of them empty."""
    tokens: list[_Token] = []
    end = 0
    for found in re.finditer(rf":{name}\b", text) if name else ():
        tokens += [_Text(text[end : found.start()], column + end), _Name(found[0][1:], column + found.start())]
        end = found.end()
    tokens.append(_Text(text[end:], column + end))
    return [token for token in tokens if isinstance(token, _Name) or token.text]


def _template(tokens: list[_Token], resolve: Callable[[str], str]) -> Template:
    """The template of checked tokens: host in ASCII, every text encoded where a URL needs it."""
    from .target import with_ascii_host  # noqa: PLC0415 - a scan need not load it

    to_encode = re.compile(r"[^\x21-\x7e]|[\"'<>^`|]|%(?![0-9A-Fa-f]{2})")
    part: Part = "path"
    pieces: list[str | Hole] = []
    for token in tokens:
        if isinstance(token, _Name):
            pieces.append(Hole(resolve(token.name), part))
            continue
        text = token.text if pieces else with_ascii_host(token.text)
        pieces.append(to_encode.sub(lambda found: _encoded(found[0], "query"), text))
        if "#" in text:
            part = "fragment"
        elif part == "path" and "?" in text:
            part = "query"
    return Template(tuple(pieces))


def _percent_decoded(name: str) -> str:
    if "%" not in name:
        return name
    from urllib.parse import unquote  # noqa: PLC0415 - 13 ms that a scan must not pay

    return unquote(name)


def _unknown(name: str) -> str:
    if name.startswith(_CONSTANT):
        return f"the rule has no constant '{name[len(_CONSTANT) :]}'"
    return f"there is no field '{name}', and the rule has no constant of that name"


def _refusal(
    document_field: str, message: str, column: int | None, *, near: str | None = None, expected: tuple[str, ...] = ()
) -> InvalidTemplate:
    finding = Finding(field=document_field, message=message, column=column, near=near, expected=expected)
    return InvalidTemplate(f"{document_field}: {message}", details=[finding])
