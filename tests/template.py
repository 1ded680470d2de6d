"""template.yaml as tests look at it: what there is, by type, and who may do what."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!GetAtt A.B` becomes {"Fn::GetAtt": "A.B"}."""


def short_form(loader: Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    match node:
        case yaml.ScalarNode():
            return {name: loader.construct_scalar(node)}
        case yaml.SequenceNode():
            return {name: loader.construct_sequence(node, deep=True)}
        case _:
            return {name: loader.construct_mapping(node, deep=True)}


Loader.add_multi_constructor("!", short_form)


TEMPLATE = yaml.load((ROOT / "template.yaml").read_text(), Loader)
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]


def of_type(kind: str) -> dict[str, Any]:
    return {name: resource["Properties"] for name, resource in RESOURCES.items() if resource["Type"] == kind}


# The functions in Python, which is to say all but the one that runs strangers' JavaScript.
FUNCTIONS = {
    Path(properties["CodeUri"]).name: (name, properties)
    for name, properties in of_type("AWS::Serverless::Function").items()
    if "Runtime" not in properties
}

SOURCES: dict[str, Any] = {}  # of events, by the function that they wake


def references(content: Any) -> set[str]:
    """Every logical id that `content` refers to."""
    match content:
        case {"Ref": str(name)}:
            return {name}
        case {"Fn::GetAtt": [str(name), *_]}:
            return {name}
        case {"Fn::GetAtt": str(path)}:
            return {path.partition(".")[0]}
        case {"Fn::Sub": str(text)}:
            return set(re.findall(r"\$\{(\w+)[}.]", text))
        case dict():
            return set().union(*map(references, content.values()))
        case list():
            return set().union(*map(references, content))
        case _:
            return set()


for source in of_type("AWS::Lambda::EventSourceMapping").values():
    [woken] = references(source["FunctionName"])
    SOURCES[woken.removesuffix("Function").lower()] = source


def statements(properties: Any) -> list[dict[str, Any]]:
    """The policy statements of a function, those of the managed policies it names included."""
    found: list[dict[str, Any]] = []
    for policy in properties["Policies"]:
        document = RESOURCES[policy["Ref"]]["Properties"]["PolicyDocument"] if "Ref" in policy else policy
        found.extend(document["Statement"])
    return found


def actions_of(properties: Any) -> set[str]:
    actions: set[str] = set()
    for statement in statements(properties):
        action = statement["Action"]
        actions.update([action] if isinstance(action, str) else action)
    return actions


def variables_of(properties: Any) -> dict[str, Any]:
    found: dict[str, Any] = properties.get("Environment", {}).get("Variables", {})
    return found


def granted(function: str) -> set[tuple[str, str]]:
    """What a function may do, and to what: a resource's logical id, or `arn:<id>/*` for what is in it."""
    found = set()
    for statement in statements(FUNCTIONS[function][1]):
        actions = statement["Action"]
        inside = "/*" in str(statement["Resource"])
        for action in [actions] if isinstance(actions, str) else actions:
            found |= {(action, f"arn:{name}/*" if inside else name) for name in references(statement["Resource"])}
    return found
