"""Methods and their settings can be told apart in figures."""

from __future__ import annotations

from raynas.report.styles import STYLES, styles

RATES = [f"darts (learning_rate={rate})" for rate in ("0.0025", "0.025", "0.25")]


def test_settings_of_a_method_have_names_and_lines_of_their_own() -> None:
    found = styles([*RATES, "gdas (learning_rate=0.025)"])
    assert found[RATES[1]].name == "DARTS (1st order) (learning_rate=0.025)"
    assert len({look.name for look in found.values()}) == 4
    for name in ("dash", "symbol", "marker", "light", "dark"):
        assert len({getattr(found[label], name) for label in RATES}) == 3, name
    assert found[RATES[0]].light == STYLES["darts"].light
    other = found["gdas (learning_rate=0.025)"]
    assert (other.light, other.dash) == (STYLES["gdas"].light, STYLES["gdas"].dash)


def test_twelve_settings_differ_and_the_method_itself_stays_as_it_is() -> None:
    labels = [*(f"darts (x={number})" for number in range(11)), "darts", "darts (tuned)"]
    found = styles(labels)
    assert found["darts"] == STYLES["darts"]
    assert len({(look.light, look.dash) for look in found.values()}) == len(labels)
    assert len({(look.dark, look.dash) for look in found.values()}) == len(labels)
    both = styles(["bohb (x=1)", "bohb (x=2)", "bohb (x=2) · other"])
    assert len({look.dash for look in both.values()}) == 3
    assert both["bohb (x=2)"].light == both["bohb (x=2) · other"].light
    assert both["bohb (x=2) · other"].name == "BOHB (x=2) · other"
