"""Black-box and one-shot neural architecture search, run on Ray Tune."""
