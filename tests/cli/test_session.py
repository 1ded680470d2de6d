"""docs/session.md, typed as it stands into a shell against a server of its own."""

from tests.cli.session import SESSION, alike, run_session, steps


def test_the_session_prints_what_its_transcript_says(tmp_path):
    pairs = steps(SESSION.read_text(encoding="utf-8"))
    assert len(pairs) > 12
    said = run_session(tmp_path, [command for command, _ in pairs])
    for (command, expected), actual in zip(pairs, said, strict=True):
        assert alike(actual) == alike(expected), command
