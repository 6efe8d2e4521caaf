# SPDX-License-Identifier: Apache-2.0
"""What was measured: samples of each figure of each way, or why there are none."""
import statistics

from tests.bench.figures import FIGURES, OURS, TARGETS


class Results:
    def __init__(self, machine, conditions):
        self.machine = machine
        self.conditions = conditions
        self.algorithms = {}  # way -> what its connections negotiated
        self.samples = {}  # (figure, way) -> values
        self.missing = {}  # (measure, way) -> why

    def add(self, way, figures):
        for figure, value in figures.items():
            self.samples.setdefault((figure, way.name), []).append(value)

    def miss(self, measure, way, why):
        self.missing.setdefault((measure.name, way.name), str(why))

    def is_missing(self, measure, way):
        return (measure.name, way.name) in self.missing

    def median(self, figure, way_name):
        values = self.samples.get((figure, way_name))
        return statistics.median(values) if values else None

    def why_missing(self, figure, way_name):
        """The reason of the measure that would have given this figure."""
        for (measure, way), why in self.missing.items():
            if way == way_name and belongs(figure, measure):
                return why
        return None

    def figures(self):
        """Those that some way has, and those of measures that no way could do."""
        seen = {figure for figure, _ in self.samples}
        for measure in {measure for measure, _ in self.missing}:
            of_it = {figure for figure in FIGURES if belongs(figure, measure)}
            seen |= set() if seen & of_it else of_it
        return [figure for figure in FIGURES if figure in seen]

    def judged(self):
        """Each target whose figures are there, with value, bound and whether it is met."""
        for target in TARGETS:
            value = self.median(target.figure, OURS)
            bound = target.bound(self.median)
            if value is not None and bound is not None:
                yield target, value, bound, target.is_met(value, bound)

    def as_json(self):
        figures = {}
        for (figure, way), values in self.samples.items():
            figures.setdefault(figure, {})[way] = {
                "median": statistics.median(values), "min": min(values), "max": max(values),
                "samples": values}
        return {
            "machine": self.machine, "conditions": self.conditions, "algorithms": self.algorithms,
            "figures": {name: {"title": FIGURES[name].title, "unit": FIGURES[name].unit,
                               "ways": figures.get(name, {})} for name in self.figures()},
            "not_available": [{"measure": measure, "way": way, "why": why}
                              for (measure, way), why in self.missing.items()],
            "targets": [{"figure": target.figure, "wanted": target.wanted, "value": value,
                         "bound": bound, "met": met}
                        for target, value, bound, met in self.judged()],
        }


# Measures are named after the beginning of their figures, but for these.
FIRST_WORDS = {"logins": ("login",), "recording": ("recorded",)}


def belongs(figure, measure):
    if measure == "bulk_down" and figure.startswith("bulk_down_text"):
        return False
    return any(figure.startswith(word) for word in FIRST_WORDS.get(measure, (measure,)))
