# SPDX-License-Identifier: Apache-2.0
"""The results as Markdown."""
from tests.bench.figures import FIGURES, JUMP, NESTED, OURS


def markdown(results, ways):
    return "\n".join([*machine(results), "", *figures(results, ways), "", *targets(results), "",
                      *algorithms(results, ways)]) + "\n"


def machine(results):
    at = results.machine
    lines = [
        f"Measured {at['when']} on {at['processor']}, {at['cores']} cores, {at['memory_gib']} GiB, "
        f"Linux {at['kernel']}, {at['system']}, {at['openssh']}, libssh {at['libssh']}, "
        f"tlog {at['tlog'] or '(none)'}, this repository at {at['sallyport']}; "
        f"load before: {at['load_before']}.", ""]
    return lines + [f"* {text}" for text in results.conditions]


def figures(results, ways):
    notes = Notes()
    ratios = [name for name in (NESTED, JUMP) if any(way.name == name for way in ways)]
    if not any(way.name == OURS for way in ways):
        ratios = []
    head = ["median", *[way.title for way in ways], *[f"{OURS} / {name}" for name in ratios]]
    yield row(head)
    yield row(["---", *["---:"] * (len(head) - 1)])
    for figure in results.figures():
        kind = FIGURES[figure]
        cells = [cell(results, figure, way, notes) for way in ways]
        yield row([f"{kind.title}, {kind.unit}", *cells,
                   *[ratio(results, figure, name) for name in ratios]])
    yield ""
    yield from notes.lines()


class Notes:
    """Below the table, so that its cells stay small."""

    def __init__(self):
        self.texts = []

    def number(self, text):
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text) + 1

    def lines(self):
        return [f"({i}) not available: {text}  " for i, text in enumerate(self.texts, 1)]


def cell(results, figure, way, notes):
    value = results.median(figure, way.name)
    if value is not None:
        return number(figure, value)
    why = results.why_missing(figure, way.name)
    return f"n/a ({notes.number(why)})" if why else "–"


def ratio(results, figure, name):
    ours, other = results.median(figure, OURS), results.median(figure, name)
    return f"{ours / other:.2f}" if ours is not None and other else "–"


def number(figure, value):
    return f"{value:.{FIGURES[figure].digits}f}"


def targets(results):
    yield row(["target for us", "wanted", "bound", "measured", ""])
    yield row(["---", "---", "---:", "---:", "---"])
    for target, value, bound, met in results.judged():
        kind = FIGURES[target.figure]
        verdict = "met" if met else f"**not met**, {by(value, bound)}"
        yield row([f"{kind.title}, {kind.unit}", target.wanted, number(target.figure, bound),
                   number(target.figure, value), verdict])


def by(value, bound):
    return f"{abs(value / bound - 1):.0%} {'over' if value > bound else 'short'}"


def algorithms(results, ways):
    yield "What each way negotiated (as its client and the target say it):"
    yield ""
    for way in ways:
        yield f"* {way.title}: {results.algorithms.get(way.name, 'not known')}"


def row(cells):
    return f"| {' | '.join(cells)} |"
