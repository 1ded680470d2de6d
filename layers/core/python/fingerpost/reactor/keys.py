"""The key shapes of scripts, schedules, declarative rules and what they leave behind, relative to their account."""

from ..ports.table import Key


def rules_version(app: str, number: int) -> Key:
    """main. One version of an application's declarative rules: author, time, and the rules, compressed."""
    return Key(f"rr#{app}", f"v#{number:08d}")


def webhook_secret(app: str) -> Key:
    """main. Which secret signs an application's webhooks, since when, and which one signed them before."""
    return Key(f"t#{app}", "webhook")


def queue(app: str, name: str) -> str:
    """log. Partition of the messages that rules put on a queue, oldest first; sort keys are the messages' ids."""
    return f"rq#{app}#{name}"


def script(app: str) -> Key:
    """main. Which version of an application's script is the newest, which is wanted, and which runs."""
    return Key(f"script#{app}", "live")


def script_version(app: str, number: int) -> Key:
    """main. One version that was uploaded: whether it is installed, and where its blobs are."""
    return Key(f"script#{app}", f"v#{number:08d}")


def schedules(app: str) -> str:
    """main. Partition of an application's schedules, oldest first; sort keys are their ids."""
    return f"schedules#{app}"


def schedule(app: str, schedule_id: str) -> Key:
    return Key(schedules(app), schedule_id)
