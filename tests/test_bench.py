"""The benches that measure the whole platform run, in miniature: what they find is of no interest here."""

from bench import capacity, histories, nearby, panels, trials


def test_what_lists_histories_and_scans_consume_is_measured(monkeypatch):
    for module, few, many in ((nearby, 40, 80), (histories, 1_000, 1_500)):
        monkeypatch.setattr(module, "FEW", few)
        monkeypatch.setattr(module, "MANY", many)
    monkeypatch.setattr(capacity, "SMALL", 300)
    monkeypatch.setattr(capacity, "LARGE", 600)
    monkeypatch.setattr(capacity, "RATES", (capacity.Rate(10, 1, 10, 5, 20),))
    monkeypatch.setattr(nearby, "SEARCHES", 2)
    rows = [row.what for row in capacity.rows()]
    for asked in ("by identifier", "by tag", "by name prefix", "by product", "half-way down"):
        assert any(what.startswith(f"GET /thngs, {asked}") for what in rows), asked


def test_what_trials_of_rules_cost_is_measured(monkeypatch):
    monkeypatch.setattr(trials, "RULES", 5)
    monkeypatch.setattr(trials, "SCANS", 300)
    assert [row.what for row in trials.rows()]


def test_how_long_bookings_take_to_reach_panels_is_measured(monkeypatch):
    monkeypatch.setattr(panels, "PANELS", (2,))
    monkeypatch.setattr(panels, "BOOKINGS", 1)
    assert [row.what.split("`")[1] for row in panels.rows()] == ["added", "changed"]
