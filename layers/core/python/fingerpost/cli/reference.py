"""Rules as they are named on the command line: `live`, the number of a version, `draft:NAME`, or a rule file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from .client import Client
from .failure import Usage
from .rule_files import RuleFile, read_rule_file

LIVE, DRAFT = "live", "draft:"
HELP = "live, the number of a version, draft:NAME, or a rule file."

Rules = Annotated[str, typer.Argument(metavar="RULES", help=HELP)]
Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Rule files, YAML or JSON.")]


@dataclass(frozen=True, slots=True)
class Reference:
    """One of them, or the live version when all are None."""

    version: int | None = None
    draft: str | None = None
    file: RuleFile | None = None

    @property
    def title(self) -> str:
        if self.file is not None:
            return str(self.file.path)
        if self.draft is not None:
            return f"the draft {self.draft}"
        return "the live version" if self.version is None else f"version {self.version}"

    def body(self) -> dict[str, Any]:
        """As requests have it."""
        if self.file is not None:
            return {"rules": self.file.rules}
        if self.draft is not None:
            return {"draft": self.draft}
        return {} if self.version is None else {"version": self.version}

    def rules(self, client: Client, base: str) -> list[Any]:
        """The rules themselves."""
        if self.file is not None:
            return self.file.rules
        if self.draft is not None:
            address = f"{base}/drafts/{self.draft}"
        else:
            address = base if self.version is None else f"{base}/versions/{self.version}"
        rules: list[Any] = client.get(address)["rules"]
        return rules


def reference_of(text: str) -> Reference:
    """Raises Usage for what names no rules, and for a file that cannot be read."""
    if text == LIVE:
        return Reference()
    if text.startswith(DRAFT):
        if len(text) == len(DRAFT):
            raise Usage("draft: names no draft", then="Write draft:NAME; `fingerpost rules drafts list` shows them")
        return Reference(draft=text.removeprefix(DRAFT))
    if text.isascii() and text.isdigit():
        return Reference(version=int(text))
    path = Path(text)
    if not path.exists():
        raise Usage(f"{text!r} is no rule file and names no rules", then=f"Write {HELP}")
    return Reference(file=read_rule_file(path))
