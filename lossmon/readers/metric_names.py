"""How the names of files end that hold one metric each."""

from __future__ import annotations

_MEASURES = """
    loss acc accuracy lr learning_rate norm reward ppl perplexity f1 auc map iou error epoch bleu
    precision recall rmse mae mse kl entropy score top1 top5 throughput
"""

METRIC_NAMES = tuple(f"*{word}" for word in _MEASURES.split())
"""Patterns on the name of a file. MLflow's files have no suffix, so that a name alone tells
little; these keep files of other sorts from being opened."""
