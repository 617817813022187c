"""Tunes the searchers."""
