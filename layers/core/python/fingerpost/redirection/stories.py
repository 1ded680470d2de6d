"""What clients send of a version's story and of drafts, beside the rules themselves."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from ..fields import Millis, SentDocument
from .documents import SentApplicationRules, SentRules
from .references import SentReference
from .release import Story

type Reason = Annotated[str, Field(max_length=500)]
type Number = Annotated[int, Field(ge=0)]


class SentReason(SentDocument):
    """Why, and the version that was live when its author looked (0: none)."""

    reason: Reason | None = None
    basedOn: Number | None = None  # noqa: N815 - the wire's own name

    def story(self, _now: int) -> Story:
        return Story(reason=self.reason or "", based_on=self.basedOn)


class SentStory(SentReason):
    """Also when: from `startsAt` (at once) to before `endsAt` (for good)."""

    startsAt: Millis | None = None  # noqa: N815
    endsAt: Millis | None = None  # noqa: N815

    def story(self, now: int) -> Story:
        """Raises Invalid unless the times are to come."""
        story = Story(reason=self.reason or "", based_on=self.basedOn, starts=self.startsAt, ends=self.endsAt)
        story.check(now)
        return story


class SentVersion(SentStory, SentRules):
    """A version of the account's rules and its story."""


class SentApplicationVersion(SentStory, SentApplicationRules):
    """A version of an application's rules and its story."""


class SentRollback(SentReason):
    version: Annotated[int, Field(ge=1)]


class SentDraftStory(SentDocument):
    """Of a draft: the version it is based on, a note, and the edit that its author saw (0: none)."""

    basedOn: Number | None = None  # noqa: N815
    note: Reason | None = None
    edit: Number | None = None


def _anything(schema: dict[str, Any]) -> None:
    """Rules of a draft may have any mistake."""
    schema["properties"]["rules"]["items"] = {}


class SentDraft(SentDraftStory, SentRules):
    """A draft of the account's rules."""

    model_config = ConfigDict(json_schema_extra=_anything)


class SentApplicationDraft(SentDraftStory, SentApplicationRules):
    """A draft of an application's rules."""

    model_config = ConfigDict(json_schema_extra=_anything)


class SentDiff(SentDocument):
    """Two references; each is the live version unless it says otherwise."""

    from_: Annotated[SentReference, Field(alias="from")] = SentReference()
    to: SentReference = SentReference()
