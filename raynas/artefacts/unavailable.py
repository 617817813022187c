"""Artefacts of the sources whose methods raynas does not have."""

from __future__ import annotations

from raynas.artefacts._base import Artefact

FAMILY = "Methods that raynas does not have"
_YU = "Yu et al. 2020"
_FIRST = "Sciuto et al. 2019 (first version of Yu et al.)"
_ADAM = "Adam and Lorraine 2019"
_ENAS = "the ENAS controller"
_RECURRENT = "recurrent cells and the Penn Treebank"

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
        "a supernet of NAS-Bench-101 with up to 7 vertices",
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
        "untrained: -0.090 (activations), -0.130 (connections), -0.064 (edit distance), 0.004 "
        "(performance)",
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
        "NASI, 360 steps: 0.068, 0.071, 0.074; HNAS: 0.090, 0.092, 0.087",
        "methods that score cells without training",
    ),
)

ARTEFACTS = tuple(
    Artefact(name, FAMILY, shows, source, published, "", needs=needs)
    for name, shows, source, published, needs in _WANTED
)
