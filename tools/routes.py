"""Write the HTTP API's routes into template.yaml as the functions register them. Run by `make routes`.

A route is a path that one function answers; its methods are the function's business. A segment such as
`{shortId}.png` is a parameter to the gateway, which knows none that are part of a segment.
"""

import importlib
import re
import sys
from pathlib import Path

TEMPLATE = Path("template.yaml")
ROUTE = re.compile(r"  \w+At\w+:\n    Type: AWS::ApiGatewayV2::Route\n    Properties: .*\n")
PERMISSION = re.compile(r"  (\w+)Permission:\n(?:    .*\n)*?      Principal: apigateway\.amazonaws\.com\n(?:    .*\n)*")


def gateway_paths(templates: set[str]) -> list[str]:
    """One path for each shape, in order. A parameter keeps its name where it is a segment of its own."""
    by_shape: dict[str, str] = {}
    for template in sorted(templates, key=lambda each: ("}." in each, each)):
        shape = re.sub(r"\{\w+\}[^/]*", "{}", template)
        by_shape.setdefault(shape, re.sub(r"\{\w+\}\.[^/]+", "{file}", template))
    return sorted(by_shape.values())


def block(function: str, path: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", path)
    name = "".join(word[0].upper() + word[1:] for word in words)
    key = f'"ANY {path}"' if "{" in path else f"ANY {path}"
    target = f'"integrations/${{{function}Integration}}"'
    return (
        f"  {function}At{name}:\n    Type: AWS::ApiGatewayV2::Route\n"
        f"    Properties: {{ApiId: !Ref Api, RouteKey: {key}, Target: !Sub {target}}}\n"
    )


def with_routes(text: str) -> str:
    """The template with the routes of every function that has a permission for the gateway."""
    text = ROUTE.sub("", text)

    def section(found: re.Match[str]) -> str:
        function = found[1]
        edge = importlib.import_module(f"functions.{function.lower()}.app").edge
        routes = "".join(block(function, path) for path in gateway_paths({path for _, path in edge.at_gateway}))
        return f"{found[0]}\n{routes}"

    return re.sub(r"\n{3,}", "\n\n", PERMISSION.sub(section, text))


def main() -> int:
    sys.path[:0] = [".", "layers/core/python"]
    before = TEMPLATE.read_text(encoding="utf-8")
    after = with_routes(before)
    TEMPLATE.write_text(after, encoding="utf-8")
    sys.stdout.write(f"{len(ROUTE.findall(after))} routes{'' if after == before else ', changed'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
