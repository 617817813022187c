"""Artefacts of the sources whose methods raynas does not have."""

from __future__ import annotations

from raynas.artefacts._base import Artefact

FAMILY = "Methods or studies that raynas does not have"
_YU = "Yu et al. 2020"
_FIRST = "Sciuto et al. 2019 (first version of Yu et al.)"
_ADAM = "Adam and Lorraine 2019"
_ENAS = "the ENAS controller"
_RECURRENT = "recurrent cells and the Penn Treebank"
_WHOLE = "a supernet of NAS-Bench-101 with up to 7 vertices"

_WANTED = (
    (
        "enas-curves",
        "ENAS among the trajectories of one-shot methods, and rank correlation over 100 sampled "
        "cells",
        "Zela et al. 2020, trajectories and Figure 3",
        "curves only",
        _ENAS,
    ),
    (
        "surpass-random-enas-nao",
        "probability of ENAS and NAO to surpass a random policy, and the best cell found",
        f"{_YU}, NAS-Bench-101 with 7 vertices, 10 runs",
        "ENAS 0.07, NAO 0.62; the best test accuracy found is 93.33 (NAO)",
        f"{_ENAS} and NAO",
    ),
    (
        "without-weight-sharing",
        "the same policies rewarded with the table instead of shared weights",
        _YU,
        "accuracy rises by about one point, the probability from 0.07 to 0.90 (ENAS) and from "
        "0.62 to 0.92 (NAO)",
        f"{_ENAS} and NAO",
    ),
    (
        "penn-treebank",
        "validation perplexity of found recurrent cells, 10 seeds",
        f"{_FIRST}, Table 1",
        "ENAS 61.91 ± 0.50, DARTS 63.29 ± 1.18, NAO 63.22 ± 1.12, random 62.50 ± 0.86",
        _RECURRENT,
    ),
    (
        "penn-treebank-test",
        "test perplexity of published recurrent cells, trained at full length",
        "released code of DARTS (23 M weights); discussion of the released code of ENAS",
        "DARTS 55.68; ENAS 55.8 claimed, 63.26 once its evaluation was set right, 56.3 tuned again",
        _RECURRENT,
    ),
    (
        "two-node-cells",
        "the 32 recurrent cells of two nodes, all trained",
        f"{_FIRST}, reduced space",
        "no policy finds the best cell; ENAS always ends at the same one",
        f"{_RECURRENT}, ENAS and NAO",
    ),
    (
        "tau-recurrent",
        "rank correlation of weight sharing in the reduced recurrent space",
        _YU,
        "Kendall tau -0.004",
        f"{_RECURRENT} with weight sharing",
    ),
    (
        "tau-nas-bench-101",
        "rank correlation of weight sharing over all of NAS-Bench-101",
        _YU,
        "Kendall tau 0.195, mean of 10 runs",
        _WHOLE,
    ),
    (
        "tau-per-checkpoint",
        "rank correlation at neighbouring checkpoints of one search (SPOS, 9 epochs)",
        f"{_YU}, notebook of the released code",
        "Kendall tau 0.32 to 0.71 with 4 vertices, 0.04 to 0.47 with 5, 0.05 to 0.23 with 7: "
        "neighbouring epochs differ by up to 0.43",
        _WHOLE,
    ),
    (
        "top-of-checkpoint",
        "percentile of the 3 and 20 cells best by shared weights, epoch 180 (SPOS)",
        f"{_YU}, notebook of the released code",
        "medians 0.70 and 0.77 with 4 vertices, 0.84 and 0.54 with 5, 0.94 and 0.84 with 7",
        _WHOLE,
    ),
    (
        "tau-without-sharing",
        "rank correlation with and without weight sharing",
        "Zhang et al. 2020 (arXiv 2001.01431), as quoted by others",
        "Kendall tau 0.46 to 0.51 with sharing, 0.803 without",
        "the space of that source and a supernet of it",
    ),
    (
        "darts-cnn-space",
        "accuracy on CIFAR-10 of cells found in the space of DARTS",
        f"{_YU}, third version",
        "the policies perform similarly to random",
        "the space of DARTS with normal and reduction cells, NAO, ENAS and BayesNAS",
    ),
    (
        "controller-probabilities",
        "largest probability of each decision of a controller, untrained and trained",
        f"{_ADAM}, Figures 1 and 4",
        "a trained controller gives the same probabilities whatever it has decided before; "
        "with regularisation they differ again",
        f"{_ENAS} of recurrent cells",
    ),
    (
        "controller-perplexity",
        "validation perplexity of cells sampled from a controller",
        f"{_ADAM}, Figure 2",
        "untrained mean 272.9 (103.2 to 1443.9), trained mean 90.6 (87.6 to 143.0)",
        f"{_ENAS} of recurrent cells and the Penn Treebank",
    ),
    (
        "controller-state",
        "final hidden state of the controller for 100 sampled cells",
        f"{_ADAM}, Figure 3",
        "it collapses: nearly the same state for every cell",
        f"{_ENAS} of recurrent cells",
    ),
    (
        "controller-distances",
        "Spearman of state distance with what two cells have in common",
        f"{_ADAM}, Table 1",
        "activations, connections, edit distance, performance: untrained -0.090, -0.130, -0.064, "
        "0.004; supervised -0.404, -0.160, 0.100, 0.163; unsupervised -0.315, -0.072, -0.028, "
        "-0.001 (the last two rows as far as the text's order of columns can be told)",
        f"{_ENAS} of recurrent cells",
    ),
    (
        "small-networks",
        "rank correlation of small stand-alone networks with the table, about 100 random cells "
        "of space 3",
        "Zela et al. 2020, side study of the released code (3, 6, 9 cells; 2 to 36 channels)",
        "curves only",
        "a command that trains many cells; `python -m raynas.train_cell` trains one",
    ),
    (
        "tuned-settings-elsewhere",
        "tuned configurations of one space used in the two others (6 seeds)",
        "Zela et al. 2020, transfer scripts of the released code",
        "curves only",
        "a study that moves tuned settings between spaces; `python -m raynas.compare --tuned` "
        "takes those of one space",
    ),
    (
        "second-order-with-cutout",
        "second-order DARTS with cutout off and on",
        "Zela et al. 2020, regularisation scripts",
        "curves only",
        "more than the presets run; `python -m raynas.study regularisation --methods darts2` runs "
        "it",
    ),
    (
        "trained-like-nas-bench-101",
        "stand-alone training as in NAS-Bench-101 (RMSProp, 108 epochs, batch 256)",
        "Zela et al. 2020, side study of the released code",
        "no figure is known",
        "a study of it; `python -m raynas.train_cell` trains one cell so",
    ),
    (
        "inductive-bias",
        "accuracy of random features of 31 architectures, about 100 seeds each",
        "Zela et al. 2020, side study of the released code",
        "curves only",
        "networks with untrained cells and two trained linear layers",
    ),
    (
        "training-free-references",
        "mean test error of searches without training in spaces 1, 2 and 3",
        "later papers on NASI and HNAS, 5 searches, 3 repeats",
        "NASI, 40 steps: 0.096, 0.077, 0.099; 360 steps: 0.068, 0.071, 0.074; HNAS: 0.090, 0.092, "
        "0.087; the best of the later paper: 0.072, 0.074, 0.068",
        "methods that score cells without training",
    ),
)

ARTEFACTS = tuple(
    Artefact(name, FAMILY, shows, source, published, "", needs=needs)
    for name, shows, source, published, needs in _WANTED
)
