"""What was found, in words and cells of tables; for the console and the page alike."""

from __future__ import annotations

from raynas.analysis.random_policy.against import Comparison
from raynas.analysis.random_policy.budget import EQUAL_BUDGET
from raynas.analysis.random_policy.finals import Finals
from raynas.analysis.random_policy.judgement import RIVALS, WITHOUT_SHARING, Judgement
from raynas.analysis.random_policy.population import RAW, UNIQUE
from raynas.analysis.random_policy.space_judgement import SpaceJudgement
from raynas.analysis.statistics import FEWEST, Estimate, Statement, power_statement

SIGNIFICANT = 0.05
NONE = "–"
_FEW = "unknown: "


def main_reference(space: SpaceJudgement) -> str:
    """The random policy proper: raw architectures, or unique cells where those are not listed."""
    names = [one.name for one in space.populations]
    return RAW if RAW in names else UNIQUE


def points(value: float, digits: int = 2) -> str:
    """A fraction in percent, or a difference of fractions in percentage points."""
    return f"{100 * value:.{digits}f}"


def chance(value: float | Statement) -> str:
    """A probability with two digits, more at the ends; or a dash."""
    if isinstance(value, Statement):
        return NONE
    if 0.995 <= value < 1:
        return "> 0.995"
    if 0 < value < 0.001:
        return f"{value:.0e}".replace("e-0", "e-")
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def p_value(value: float | Statement) -> str:
    """A p-value, or a dash."""
    if isinstance(value, Statement) or value != value:
        return NONE
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def superiority(found: Estimate | Statement) -> str:
    """A probability of superiority with its interval."""
    if isinstance(found, Statement):
        return NONE
    if isinstance(found.interval, Statement):
        return _share(found.value)
    return f"{_share(found.value)} [{_share(found.interval[0])}, {_share(found.interval[1])}]"


def _share(value: float) -> str:
    """Two decimals, three near the ends where they matter."""
    return f"{value:.2f}" if 0.05 < value < 0.95 else f"{value:.3f}"


def difference(found: Estimate | Statement) -> str:
    """A difference of accuracies in points with its interval."""
    if isinstance(found, Statement):
        return NONE
    if isinstance(found.interval, Statement):
        return f"{100 * found.value:+.2f}"
    low, high = found.interval
    return f"{100 * found.value:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]"


def same(comparison: Comparison) -> str:
    """The p-value of the test that the mean accuracies differ by less than the margin."""
    found = comparison.equivalence
    return p_value(found if isinstance(found, Statement) else found.p)


def spread(judgement: Judgement) -> str:
    """Mean and standard deviation over seeds in percent."""
    found = judgement.description
    if isinstance(found, Statement):
        return NONE
    mean = points(found.mean)
    return mean if isinstance(found.deviation, Statement) else f"{mean} ± {points(found.deviation)}"


def runs(judgement: Judgement) -> str:
    """How many runs there are, and how many of them ended with a cell."""
    total, ended = len(judgement.finals.seeds), int(judgement.finals.ended.sum())
    return str(total) if total == ended else f"{ended} of {total}"


def verdict(comparison: Comparison) -> str:
    """Better, worse, not told apart, or unknown, with the runs if they are too few to say."""
    p, found = comparison.p_rank_holm, comparison.superiority
    if isinstance(found, Estimate) and comparison.runs < FEWEST:
        return f"{_FEW}{_runs(comparison.runs)}"
    if isinstance(found, Statement) or p != p:
        return "unknown"
    if p >= SIGNIFICANT:
        return "not told apart"
    return "better" if found.value > 0.5 else "worse"


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"


def findings(space: SpaceJudgement) -> list[str]:
    """Which methods are better than the random policy, and than random search."""
    sentences = [_sentence(space, main_reference(space), "a random draw")]
    if any(not _unknown(method, EQUAL_BUDGET) for method in space.methods):
        sentences.append(_sentence(space, EQUAL_BUDGET, "random search with the same seconds"))
    return sentences


def _unknown(method: Judgement, reference: str) -> bool:
    found = method.comparisons.get(reference)
    return found is None or verdict(found).startswith("unknown")


def _sentence(space: SpaceJudgement, reference: str, against: str) -> str:
    groups: dict[str, list[str]] = {}
    for method in space.methods:
        found = method.comparisons[reference]
        groups.setdefault(verdict(found), []).append(method.finals.method)
    parts = []
    for name, words in (
        ("better", "better than {}"),
        ("worse", "worse than {}"),
        ("not told apart", "not told apart from {}"),
        ("unknown", "not comparable with {}"),
    ):
        if name in groups:
            parts.append(f"{words.format(against)}: {', '.join(groups[name])}")
    few = [
        f"{method} ({name.removeprefix(_FEW)})"
        for name in groups
        if name.startswith(_FEW)
        for method in groups[name]
    ]
    if few:
        parts.append(f"unknown whether better than {against}: {', '.join(few)}")
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]} (test of the mean quantile, Holm, 5 %)."


#: What the comparison with and without weight sharing is, and what it is not.
SHARING = (
    "With and without weight sharing: the final cells of a search with shared weights less those "
    "of the same policy on the benchmark's own accuracies (random_ws and rs, enas and reinforce, "
    "or a method recorded in both ways). Their budgets are not equal: a search with shared weights "
    "takes the real seconds in which it trains all its candidates at once, on its own device; "
    "without, the simulated seconds of every training that was looked up, on the benchmark's."
)
_CLOCKS = {"real": "real seconds of search", "simulated": "simulated seconds of training"}


def seconds(finals: Finals) -> str:
    """Mean seconds of some runs."""
    mean = finals.mean_seconds
    if mean != mean:
        return "not recorded"
    return f"{mean:,.1f}" if mean < 100 else f"{mean:,.0f}"


def budgets(judgement: Judgement) -> str:
    """What a method and the same without weight sharing took, in a sentence; empty without it."""
    twin = judgement.twin
    return "" if twin is None else f"Budgets: {_budget(judgement.finals)}; {_budget(twin)} without."


def _budget(finals: Finals) -> str:
    if finals.mean_seconds != finals.mean_seconds:
        return "seconds not recorded"
    at_once = f", {finals.workers} at once" if finals.workers > 1 else ""
    return f"{seconds(finals)} {_CLOCKS[finals.clock]} on average{at_once}"


def sharing_lines(space: SpaceJudgement) -> list[str]:
    """What weight sharing changes, for each method that is there with and without.

    Behind these lines what is compared, once.
    """
    lines = []
    for method in space.methods:
        found = method.comparisons.get(WITHOUT_SHARING)
        if found is None:
            continue
        name = method.finals.method
        if isinstance(found.superiority, Statement):
            lines.append(f"{name} with and without weight sharing: {found.superiority}.")
            continue
        lines.append(
            f"{name} against {WITHOUT_SHARING} ({found.runs} and {found.others} runs): "
            f"{difference(found.difference)} percentage points, A "
            f"{superiority(found.superiority)}, p {p_value(found.p_rank)}. {budgets(method)}"
        )
    return [*lines, SHARING] if lines else []


def power_lines(space: SpaceJudgement) -> list[str]:
    """What tests with so many runs can find, for each number of runs that is tested at all."""
    counts = sorted({int(method.finals.ended.sum()) for method in space.methods})
    lines = [power_statement(count, None) for count in counts if count >= FEWEST]
    pairs = sorted(
        {
            (found.runs, found.others)
            for method in space.methods
            if (found := method.comparisons.get(RIVALS)) is not None
            and min(found.runs, found.others or 0) >= FEWEST
        }
    )
    return lines + [power_statement(first, second) for first, second in pairs]


def reasons(space: SpaceJudgement) -> list[str]:
    """Why figures are missing: each reason once, with the methods that it concerns."""
    found: dict[tuple[str, str], list[str]] = {}
    for method in space.methods:
        for name, comparison in method.comparisons.items():
            why = comparison.superiority
            if isinstance(why, Estimate) and isinstance(why.interval, Statement):
                found.setdefault(("no interval", str(why.interval)), []).append(
                    method.finals.method
                )
            elif isinstance(why, Statement):
                found.setdefault((f"no comparison with {name}", str(why)), []).append(
                    method.finals.method
                )
    return [
        f"{', '.join(dict.fromkeys(methods))}: {what}: {why}."
        for (what, why), methods in found.items()
    ]
