"""Are the cells that methods find better than cells drawn at random?"""

from __future__ import annotations

from raynas.analysis.random_policy.against import DRAWS, MARGIN, Comparison
from raynas.analysis.random_policy.budget import EQUAL_BUDGET
from raynas.analysis.random_policy.cells import find_rows
from raynas.analysis.random_policy.finals import Finals, finals_of_runs
from raynas.analysis.random_policy.finals_of_others import finals_of_table
from raynas.analysis.random_policy.judgement import RIVALS, WITHOUT_SHARING, Judgement
from raynas.analysis.random_policy.labels import distinct
from raynas.analysis.random_policy.population import RAW, UNIQUE, Population, population
from raynas.analysis.random_policy.space_judgement import SpaceJudgement, judge
from raynas.analysis.random_policy.table import RANDOM_POLICY_SCHEMA, result_table

__all__ = [
    "DRAWS",
    "EQUAL_BUDGET",
    "MARGIN",
    "RANDOM_POLICY_SCHEMA",
    "RAW",
    "RIVALS",
    "UNIQUE",
    "WITHOUT_SHARING",
    "Comparison",
    "Finals",
    "Judgement",
    "Population",
    "SpaceJudgement",
    "distinct",
    "finals_of_runs",
    "finals_of_table",
    "find_rows",
    "judge",
    "population",
    "result_table",
]
