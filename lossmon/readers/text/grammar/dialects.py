"""Dialects: lines of one tool that name their numbers in prose, behind them or not at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field

from lossmon.fast_dataclass import dataclass
from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.text.grammar.parsed import (
    LOGARITHM,
    LinePosition,
    LineValue,
    MetricLine,
    Scale,
    TextSpan,
)
from lossmon.readers.text.grammar.prefix import Prefix, mlperf_event
from lossmon.readers.text.grammar.words import NONFINITE, NUMBER

_N = rf"(?:{NUMBER}|{NONFINITE})"
_SPEED = r"(?:\| )?(?:steps/sec [\d.]+ ?\| ?)?"
"""What newer versions of WeNet print behind the split."""

_OPTUNA = r"(?:\[[A-Z] [\d :,.-]{10,30}\] )?"
"""How Optuna's logger begins a line."""

TRIALS = "trials/"
"""Begins the tags of trials that ended without a value; they are counted."""

_COUNT = r"\d{1,3}(?:,\d{3})+|\d+"


@dataclass(frozen=True, slots=True)
class LineDialect:
    """Lines of one tool.

    Attributes:
        sign: Text that every such line contains.
        pattern: Matches the message from its start. Its groups `step`, `steps`, `epoch` and
            `epochs` are the position, the others are metrics.
        scale: What the position counts; nothing if `step` counts the batches of an evaluation.
        split: `eval` where the line is about held-out data, else empty.
        names: Tag of a group, where it differs from the name of the group.
        factors: What the number of a group is multiplied by, if not 1, or `LOGARITHM`.
        zero: Epochs begin at 0.
        unit: What the printed step is multiplied by, and rounded to.
    """

    sign: str
    pattern: re.Pattern[str]
    scale: Scale
    split: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    factors: Mapping[str, float] = field(default_factory=dict)
    zero: bool | None = None
    unit: int = 1


_BOX_LOSSES = {"box": "train/box_loss", "obj": "train/obj_loss", "cls": "train/cls_loss"}
_VAL_LOSSES = {"val_box": "val/box_loss", "val_obj": "val/obj_loss", "val_cls": "val/cls_loss"}
_MEASURED = {
    "p": "metrics/precision",
    "r": "metrics/recall",
    "map50": "metrics/mAP_0.5",
    "map": "metrics/mAP_0.5:0.95",
}

_CLASS = rf"(?:np\.float\d+\()?(?P<dice_{{}}>{_N})\)?"
_MOST_CLASSES = 8
"""Classes of a segmentation whose dice scores are taken from one line."""

DIALECTS = (
    # nnU-Net: a score per class, "Pseudo dice [0.81, 0.74]".
    LineDialect(
        "ice",
        lazy_pattern(
            rf"\s*(?:Pseudo dice|Average global foreground Dice:) \[{_CLASS.format(0)}"
            + "".join(rf"(?:, {_CLASS.format(index)})?" for index in range(1, _MOST_CLASSES))
        ),
        Scale.NONE,
        split="eval",
        names={f"dice_{index}": f"val/dice_{index}" for index in range(_MOST_CLASSES)},
    ),
    # DARTS: loss, top-1 and top-5 accuracy so far, "train 050 2.3e+00 12.5 50.0".
    LineDialect(
        "train ",
        lazy_pattern(rf"train (?P<step>\d{{3,}}) (?P<loss>{_N}) (?P<top1>{_N}) (?P<top5>{_N})\s*$"),
        Scale.STEP,
    ),
    LineDialect(
        "valid ",
        lazy_pattern(rf"valid (?P<step>\d{{3,}}) (?P<loss>{_N}) (?P<top1>{_N}) (?P<top5>{_N})\s*$"),
        Scale.NONE,
        split="eval",
        names={"loss": "eval/loss", "top1": "eval/top1", "top5": "eval/top5"},
    ),
    LineDialect(
        "_obj ",
        lazy_pattern(
            rf"(?:train_acc (?P<train_acc>{_N}) \| train_obj (?P<train_loss>{_N})"
            rf"|valid_acc (?P<valid_acc>{_N}) \| valid_obj (?P<valid_loss>{_N})"
            rf"|test_acc (?P<test_acc>{_N}) \| test_obj (?P<test_loss>{_N}))\s*$"
        ),
        Scale.NONE,
    ),
    # LeRobot: "step:800 smpl:6K ep:9 epch:0.12 loss:0.512 grdn:6.1 lr:1.0e-05", later "step:1K".
    *(
        LineDialect(
            f"{suffix} smpl:",
            lazy_pattern(
                rf".{{0,80}}\bstep:(?P<step>\d+){suffix} smpl:\S+ ep:\S+ epch:\S+ "
                rf"loss:(?P<loss>{_N}) grdn:(?P<grad_norm>{_N}) lr:(?P<lr>{_N})"
            ),
            Scale.STEP,
            unit=unit,
        )
        for suffix, unit in (("K", 1000), ("M", 1_000_000), ("", 1))
    ),
    # darknet: " 12: 3.456789, 4.567890 avg loss, 0.001000 rate, 2.5 seconds, 768 images". Its
    # classifiers print the epoch behind the step: "12, 0.003: 3.456789, ...".
    LineDialect(
        " avg",
        lazy_pattern(
            rf"\s*(?P<step>\d+)(?:, [\d.]+)?: (?P<loss>{_N}), (?P<avg_loss>{_N}) avg(?: loss)?, "
            rf"(?P<learning_rate>{_N}) rate,"
        ),
        Scale.STEP,
    ),
    LineDialect(
        "mean",
        lazy_pattern(rf"\s*mean[_ ]average[_ ]precision \(mAP@0?\.\d+\) = (?P<mAP>{_N})"),
        Scale.NONE,
        split="eval",
    ),
    # Deeplearning4j: the score is the loss.
    LineDialect(
        "Score at iteration ",
        lazy_pattern(rf"(?:.{{0,120}}\s)?Score at iteration (?P<step>\d+) is (?P<loss>{_N})"),
        Scale.STEP,
    ),
    # Kaldi nnet3: a log likelihood per frame, which is maximised.
    LineDialect(
        "Average objective function for 'output",
        lazy_pattern(
            r"(?:LOG \(.{0,80}\) )?Average objective function for 'output' for minibatches "
            rf"\d+-(?P<step>\d+) is (?P<objective>{_N}) over"
        ),
        Scale.STEP,
        names={"objective": "nll"},
        factors={"objective": -1.0},
    ),
    # Kaldi chain models: the objective is a sum of two terms.
    LineDialect(
        "verage objective function for 'output",
        re.compile(
            r"(?:LOG \(.{0,80}\) )?Average objective function for 'output' for minibatches "
            rf"\d+-(?P<step>\d+) is {_N} \+ {_N}(?: \+ {_N})? = (?P<objective>{_N}) over"
        ),
        Scale.STEP,
        names={"objective": "nll"},
        factors={"objective": -1.0},
    ),
    # Kaldi nnet1: "ITERATION 01: TRAIN AVG.LOSS 1.5, (lrate0.008), CROSSVAL AVG.LOSS 1.8".
    LineDialect(
        "CROSSVAL AVG.LOSS",
        lazy_pattern(
            rf"ITERATION (?P<step>\d+): TRAIN AVG\.LOSS (?P<train>{_N}), .{{0,40}}"
            rf"CROSSVAL AVG\.LOSS (?P<crossval>{_N})"
        ),
        Scale.STEP,
        names={"train": "train/loss", "crossval": "eval/loss"},
    ),
    # Tacotron 2: "Train loss 250 0.5 Grad Norm 0.3 1.21s/it", "Validation loss 1000: 0.6".
    LineDialect(
        "Train loss ",
        lazy_pattern(rf"Train loss (?P<step>\d+) (?P<loss>{_N}) Grad Norm (?P<grad_norm>{_N})"),
        Scale.STEP,
    ),
    LineDialect(
        "Validation loss ",
        lazy_pattern(r"Validation loss (?P<step>\d+): +(?P<loss>\d+\.\d+)\s*$"),
        Scale.STEP,
        split="eval",
        names={"loss": "eval/loss"},
    ),
    # OpenNMT prints the cross-entropy of a validation as its perplexity only.
    LineDialect(
        "Validation perplexity: ",
        lazy_pattern(rf"Validation perplexity: (?P<xent>(?P<ppl>{_N}))\s*$"),
        Scale.NONE,
        split="eval",
        names={"xent": "eval/xent", "ppl": "Validation perplexity"},
        factors={"xent": LOGARITHM},
    ),
    # BigDL: "[Epoch 1 128/60000][Iteration 1][Wall Clock 0.5s] Trained ... Loss is 2.4".
    LineDialect(
        "][Iteration ",
        lazy_pattern(
            rf"(?:.{{0,80}} - )?\[Epoch (?P<epoch>\d+) .{{0,40}}\]\[Iteration (?P<step>\d+)\]"
            rf".{{0,200}}\bLoss is (?P<loss>{_N})"
        ),
        Scale.STEP,
    ),
    # RSL-RL centers what it prints of an iteration.
    LineDialect(
        "Learning iteration ",
        lazy_pattern(r"\s*Learning iteration (?P<step>\d+)/(?P<steps>\d+)\s*$"),
        Scale.STEP,
    ),
    LineDialect(
        " loss: ",
        lazy_pattern(
            rf"\s*(?:Value function loss|Mean value(?:[_ ]function)? loss): (?P<value>{_N})\s*$"
        ),
        Scale.NONE,
        names={"value": "Value function loss"},
    ),
    LineDialect(
        "urrogate loss: ",
        lazy_pattern(rf"\s*(?:Mean s|S)urrogate loss: (?P<loss>{_N})\s*$"),
        Scale.NONE,
        names={"loss": "Surrogate loss"},
    ),
    LineDialect(
        "Mean reward: ",
        lazy_pattern(rf"\s*Mean reward: (?P<reward>{_N})\s*$"),
        Scale.NONE,
        names={"reward": "Mean reward"},
    ),
    # Tutorials of TensorFlow 1: "After 100 training step(s), loss on training batch is 0.5".
    LineDialect(
        " training step(s), ",
        lazy_pattern(
            rf"After (?P<step>\d+) training step\(s\), .{{0,40}}?\bloss\b"
            rf"[a-z ]{{0,40}} is (?P<loss>{_N})"
        ),
        Scale.STEP,
    ),
    # log.txt of build-nanogpt: "250 train 6.123456", "250 val 6.2345", "250 hella 0.2512".
    LineDialect(
        " ",
        re.compile(
            rf"(?P<step>\d+) (?:train (?P<train_loss>{_N})|val (?P<val_loss>{_N})"
            rf"|hella (?P<hellaswag_acc>{_N}))\s*$"
        ),
        Scale.STEP,
    ),
    # Optuna: the value of a trial, whose direction the best one so far tells.
    LineDialect(
        "Trial ",
        re.compile(
            rf"{_OPTUNA}Trial (?P<step>\d+) finished with value: (?P<objective>{_N}) "
            rf"and parameters: .*Best is trial \d+ with value: (?P<best>{_N})\."
        ),
        Scale.TRIAL,
    ),
    LineDialect(
        "Trial ",
        re.compile(rf"{_OPTUNA}Trial (?P<step>(?P<pruned>\d+)) pruned\."),
        Scale.TRIAL,
        names={"pruned": f"{TRIALS}pruned"},
    ),
    LineDialect(
        "Trial ",
        re.compile(rf"{_OPTUNA}Trial (?P<step>(?P<failed>\d+)) failed with parameters"),
        Scale.TRIAL,
        names={"failed": f"{TRIALS}failed"},
    ),
    # YOLOv5 and YOLOv7 results.txt: a row per epoch without a head.
    LineDialect(
        "G ",
        lazy_pattern(
            r"\s*(?P<epoch>\d+)/(?P<epochs>\d+)\s+[\d.]+G"
            rf"\s+(?P<box>{_N})\s+(?P<obj>{_N})\s+(?P<cls>{_N})\s+(?P<total>{_N})\s+\d+\s+\d+"
            rf"\s+(?P<p>{_N})\s+(?P<r>{_N})\s+(?P<map50>{_N})\s+(?P<map>{_N})"
            rf"\s+(?P<val_box>{_N})\s+(?P<val_obj>{_N})\s+(?P<val_cls>{_N})\s*$"
        ),
        Scale.EPOCH,
        names={**_BOX_LOSSES, "total": "train/loss", **_MEASURED, **_VAL_LOSSES},
        zero=True,
    ),
    # WeNet: "TRAIN Batch 3/100 loss 4.5": batch 100 of epoch 3.
    LineDialect(
        "TRAIN ",
        lazy_pattern(
            rf"TRAIN {_SPEED}Batch (?P<epoch>\d+)/(?P<step>\d+) loss (?P<loss>{_N})"
            rf"(?: loss_att (?P<loss_att>{_N}))?(?: loss_ctc (?P<loss_ctc>{_N}))?"
            rf"(?: history loss {_N})?(?: [a-z_]+ {_N})*? lr (?P<lr>{_N})"
        ),
        Scale.EITHER,
    ),
    LineDialect(
        "CV ",
        lazy_pattern(rf"CV {_SPEED}Batch (?P<epoch>\d+)/(?P<step>\d+) loss (?P<loss>{_N})"),
        Scale.NONE,
        split="eval",
        names={"loss": "eval/loss"},
    ),
    LineDialect(
        " CV info ",
        lazy_pattern(
            rf"Epoch (?P<epoch>\d+) (?:Step \d+ )?CV info (?:lr {_N} )?cv_loss (?P<cv_loss>{_N})"
        ),
        Scale.EPOCH,
        split="eval",
        names={"cv_loss": "eval/loss"},
    ),
    # Marian: "Ep. 1 : Up. 500 : Sen. 125,000 : Cost 8.5".
    LineDialect(
        " : Up. ",
        lazy_pattern(
            rf"Ep\. (?P<epoch>\d+)\S* : Up\. (?P<step>{_COUNT}) : "
            rf"Sen\. [\d,]+ : Cost (?P<cost>{_N})"
        ),
        Scale.STEP,
        names={"cost": "loss"},
    ),
    LineDialect(
        " : Up. ",
        lazy_pattern(
            rf"\[valid\] Ep\. (?P<epoch>\d+)\S* : Up\. (?P<step>{_COUNT}) : "
            rf"(?:cross-entropy : (?P<ce>{_N})|ce-mean(?:-words)? : (?P<mean>{_N})"
            rf"|valid-script : (?P<script>{_N})|perplexity : (?P<ppl>{_N})"
            rf"|(?:bleu|bleu-detok|bleu-segmented|translation) : (?P<bleu>{_N})"
            rf"|chrf : (?P<chrf>{_N}))"
        ),
        Scale.STEP,
        split="eval",
        names={
            "ce": "eval/cross-entropy",
            "mean": "eval/ce-mean-words",
            "script": "eval/valid-script",
            "ppl": "eval/perplexity",
            "bleu": "eval/bleu",
            "chrf": "eval/chrf",
        },
    ),
)

_PLACES = frozenset({"step", "steps", "epoch", "epochs"})
_BEST = "best"
"""Group of the best value so far, which is not a value of this line."""


def dialect_line(line: str, before: Prefix) -> MetricLine | None:
    """Take a line apart that is written in a dialect; None if it is in none of them."""
    if ":::MLL" in line:
        return mlperf_event(line, before)
    for dialect in DIALECTS:
        if dialect.sign not in line:
            continue
        found = dialect.pattern.match(line, before.end)
        if found is not None:
            return _record(dialect, found, before)
    return None


def _record(dialect: LineDialect, found: re.Match[str], before: Prefix) -> MetricLine:
    spans = {name: found.span(name) for name, text in found.groupdict().items() if text}
    values = tuple(
        LineValue(dialect.names.get(name, name), span, dialect.factors.get(name, 1.0))
        for name, span in spans.items()
        if name not in _PLACES and name != _BEST
    )
    taken: tuple[TextSpan, ...] = tuple(spans[name] for name in _PLACES if name in spans)
    place = LinePosition(
        dialect.scale,
        spans.get("step"),
        spans.get("steps"),
        spans.get("epoch"),
        spans.get("epochs"),
        True,
        "",
        taken,
        dialect.zero,
    )
    return MetricLine(
        values,
        place,
        before.rank,
        before.time,
        last_only=dialect.scale is Scale.NONE and "step" in spans,
        split=dialect.split,
        best=spans.get(_BEST),
        unit=dialect.unit,
    )
