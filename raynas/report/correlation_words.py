"""Definitions and captions of the page of `python -m raynas.correlation`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from raynas.report.markup import tag, text

DEFINITIONS = {
    "One-shot accuracy": "Share of right answers on the validation half of the search's images, "
    "with the shared weights of a checkpoint and nothing trained.",
    "Architecture": "Isomorphic architectures are one cell when trained alone; under shared "
    "weights they use those of different edges and blocks and score differently. One or some of "
    "them stand for each cell (which, is said below), so part of the scatter is between the "
    "architectures of a cell; the ceiling does not know that part.",
    "Two architectures": "Of the cells of which two or more architectures were scored: Kendall's "
    "tau between the accuracies of the first two that were drawn of each, the mean over seeds. "
    "What two architectures of one cell do not agree on says nothing about the cell. Those that "
    "differ only in blocks without a path to the output are one network and count once.",
    "Truth": "Mean accuracy of the benchmark's trainings of the cell alone, at 4, 12, 36 and 108 "
    "epochs; higher is better on both sides, so agreement is positive.",
    "Corrected rule": "Operations and edges have weight 0 or 1 as in the cell: the result is that "
    "of the sub-network cut out of the supernet.",
    "Published rule": "That of the released correlation script, with its errors, on all unique "
    "cells: operations of methods with architecture parameters are softmaxed one-hots (0.576, "
    "0.212, 0.212), rows of edges are divided by their sum; in spaces 1 and 2 the edge from "
    "block 4 to the output is lost; normalisation with the statistics of the training.",
    "Statistics": "What batch normalisation uses: those of each evaluated batch, the running ones "
    "of the training, or recalibrated ones, means over training batches that the cell itself saw.",
    "Mean accuracy": "Mean and standard deviation of the one-shot accuracies of the cells, and how "
    "many distinct ones a seed gave. Where the mean is not above guessing by more than three "
    "standard errors of so many guesses, the weights are not shown to be better than guessing with "
    "these images; more images have a lower bar.",
    "tau": "Kendall's tau-b, the mean over the seeds that gave the cells different accuracies.",
    "Intervals": "95 %. From three seeds on they hold for other cells and other seeds: made of the "
    "variance between seeds (Student's t) and the covariance of seeds over bootstrap samples of "
    "the cells. Of a study of fewer seeds they are percentile bootstraps over cells and hold for "
    "these seeds. If fewer than three are left because others gave the cells the same accuracy, "
    "there is none. Overlap and regret have intervals over seeds alone (BCa), as the best of a "
    "sample drawn anew are not those of the cells.",
    "p": "Two-sided permutation test: how often cells in random order, the same for all seeds, "
    "have a mean tau as far from 0. Next to it the standard deviation of the tau of one such "
    "order.",
    "Sparse tau": "The same with a truth in bins of 0.1 percentage points.",
    "Best 10 %": "The cells with the best truth, or those with the best one-shot accuracy. A range "
    "that is cut makes any correlation smaller, the ceiling included.",
    "Regret of the top k": "What is lost when the k best by one-shot accuracy are trained and the "
    "best of them is taken, in percentage points of accuracy.",
    "Overlap of the top k": "Share of the k best by one-shot accuracy among the k truly best; k "
    "divided by the number of cells by chance.",
    "Counting parameters": "What the number of trainable parameters of each cell's network reaches "
    "as a score: no training, no images.",
    "Ceiling": "What a score would reach on average that knew the expectation of each cell: the "
    "truth is a mean of few trainings, whose noise it cannot know. Simulated: expectations that, "
    "with noise drawn from each cell's own deviations between trainings, have means distributed "
    "as the observed ones; the coefficient is between them and such means.",
    "One training against the others": "The same coefficient between one training of the cells "
    "and the mean of their other trainings. It is below the ceiling, since one training has noise "
    "of its own. Among the best 10 % those are meant that are best by the other trainings. Its "
    "interval is a percentile bootstrap over cells.",
}
SCATTER = (
    "Every mark is a cell; the distributions of both accuracies stand at the margins; dotted: "
    "guessing."
)
CAPTIONS = {
    "epochs": (
        "Over the epochs of the search",
        "Kendall's tau of all cells, corrected rule; the dotted line is the ceiling.",
    ),
    "budgets": (
        "Over the budgets: test accuracy",
        "Kendall's tau with the mean test accuracy after "
        "so many epochs of training alone, last checkpoint; dotted: the ceiling.",
    ),
    "budgets-validation": (
        "Over the budgets: validation accuracy",
        "Kendall's tau with the mean validation accuracy after "
        "so many epochs of training alone, last checkpoint; dotted: the ceiling.",
    ),
    "vertices": (
        "By number of vertices",
        "Kendall's tau among cells of one size (input and output "
        "are counted), last checkpoint; dotted: the ceiling.",
    ),
    "rules": (
        "By rule and statistics",
        "Kendall's tau with the mean test accuracy of the largest budget, of all cells and among "
        "the 10 % that are best by it, with every evaluated rule and statistics; last checkpoint. "
        "Lines: 95 % intervals. Compare rows of the same cells: a range that is cut makes any "
        "correlation smaller.",
    ),
}


def definitions() -> str:
    """What each word on the page means."""
    rows = [tag("div", tag("dt", text(k)), tag("dd", text(v))) for k, v in DEFINITIONS.items()]
    return tag("section", tag("h2", "Definitions"), tag("dl", *rows), id="definitions")


def made_from(manifest: Mapping[str, Any]) -> str:
    """The study, the cells and the images, from the manifest."""
    given = manifest["arguments"]
    cells = "all unique cells" if given["cells"] is None else f"{given['cells']:,} cells per space"
    limit = given["images_limit"]
    images = "all images" if limit is None else f"{limit:,} images"
    first = manifest.get("architectures") is None
    which = "the first in lexicographic order" if first else "drawn at random by the seed"
    count = given.get("labellings", 1)
    some = f"{which}" if count == 1 else f"up to {count}, {which}; its score is their mean"
    if count > 1 and manifest.get("architectures") == "drawn":
        some += " (by an earlier version: some are the same network, see Two architectures)"
    said = (
        f"{given['study']}: {cells}, {images} of the validation half of {manifest['images']}; of "
        f"the architectures of a cell {some}."
    )
    return tag("section", tag("h2", "Made from"), tag("p", text(said)))
