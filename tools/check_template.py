"""Check a SAM template twice: as SAM sees it, and, because that misses half of what is wrong, what it expands to.

Run by `make template` in the environment of requirements-sam.lock. No credentials, network or containers needed.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import boto3
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

REGION = "eu-west-1"
CODE = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}


def expanded(template: dict[str, Any]) -> dict[str, Any]:
    """The CloudFormation template that SAM makes of `template`. Raises InvalidDocumentException."""
    for resource in template["Resources"].values():
        if (code := CODE.get(resource["Type"])) is not None:
            resource["Properties"][code] = "s3://bucket/key"  # what `sam deploy` puts there
    session = boto3.Session(region_name=REGION)
    document: dict[str, Any] = Translator(None, Parser(), [], session).translate(template, {})
    return document


def run(tool: str, *arguments: str) -> bool:
    """Whether a command of this interpreter's environment is content."""
    command = [str(Path(sys.executable).with_name(tool)), *arguments]
    environment = os.environ | {"SAM_CLI_TELEMETRY": "0"}
    return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False).returncode == 0  # noqa: S603


def main(path: str) -> int:
    if not run("sam", "validate", "--lint", "--region", REGION, "--template-file", path):
        return 1
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "expanded.json"
        document = expanded(yaml_parse(Path(path).read_text()))
        out.write_text(json.dumps(document, indent=1))
        if not run("cfn-lint", "--regions", REGION, "--template", str(out)):
            return 1
    count = len(document["Resources"])
    sys.stdout.write(f"{path} expands to {count} resources; CloudFormation's linter finds no fault in them.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
