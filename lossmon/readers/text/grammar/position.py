"""Position that a line of text states: step, epoch, batch and their totals."""

from __future__ import annotations

import re
from dataclasses import replace

from lossmon.lazy_pattern import lazy_pattern
from lossmon.readers.text.grammar.parsed import LinePosition, Scale, TextSpan

_EPOCH = lazy_pattern(
    r"(?ix)(?<![\w./=-])(?:epoch(?:s(?=\s\d+/))?|ep\.?|(?-i:E)(?=\d\d)|(?:训练)?轮[次数]|第(?=\s*\d+\s*(?:轮|个\s?epoch)))(?:\((?P<split>train|val|test|eval)\))?"
    r"\s*(?:[:=\#]\s*)?(?:n(?:o\.?|umber)\s*(?::\s*)?)?\[?\s*(?P<epoch>\d+(?:\.\d+)?)(?![.a-z_\d])"
    r"(?:\s*轮?\s*(?:[/,]\s*共|/|of)\s*(?P<epochs>\d+)(?:(?![\w./])|(?=轮)))?\s*\]?轮?"
)
_BEHIND_EPOCH = lazy_pattern(
    r"(?ix)\s*[,:|-]?\s*[\[(|]?\s*(?:(?:i|n|b|it|idx|mb|sample|batch_idx|minibatch)\s*[=:]\s*)?"
    r"(?P<step>\d+)\s*/\s*(?P<total>\d+)"
    r"(?:\s*batches|\s*\|(?=\s)|\s*\(\s*[\d.]+\s*%\s*\)\s*\]?|\s*[\])]|\s+(?=[a-z•]))"
)
_PLAIN_BEHIND_EPOCH = lazy_pattern(r"\s*,?\s*\[\s*(?P<step>\d+)\s*\]")
_STEP = lazy_pattern(
    r"(?ix)(?:(?<![\w./-])|(?<=\d/))(?<!per\ )(?P<name>global[_ ]step|total[_ ]step|"
    r"train(?:er)?/(?:global_)?step|步骤|步数|迭代|episode|round|"
    r"num_updates|updates?|global[_ ]iter(?:ation)?|train[_ ]step|optimizer[_ ]step|"
    r"current[_ ]steps?|step|iter|(?:iters|iterations|steps)(?=\s?[:=]?\s?\[?\d{1,12}\s?/\s?\d)|"
    r"iteration|itr|it|(?:mini-?)?batch|ba)"
    r"\s*(?:\#?[:=]\s*|\#\s*)?\[?\s*(?P<step>\d{1,3}(?:,\d{3})++|\d+)(?![\w.,:]\d|\w|\s*(?:%|ms\b|s\b))"
    r"(?:\s*(?:/|of)\s*(?P<total>\d{1,3}(?:,\d{3})++|\d+)(?![\w./]))?\s*\]?"
)
_ROUND = r"(?i:(?P<split>(?:test|val|valid|validat(?:e|ion)|eval|evaluate)(?: \(ema\))?))"
"""How the batches of an evaluation are headed; timm evaluates averaged weights, too."""

_LINE_STARTS = tuple(
    (re.compile(pattern), scale)
    for pattern, scale in (
        (r"\[(?P<step>\d+)\](?:\t|:  (?=\w+'s ))", Scale.ROUND),
        # Transformer-XL and XLNet in TensorFlow: "[500] | gnorm 0.53 lr 0.00022 | loss 5.54".
        (r"\[ *(?P<step>\d+)\] \|(?= \w)", Scale.STEP),
        # CLU's logging_writer.py behind the prefix of absl: "...:48] [100] loss=0.5".
        (r"(?<=:\d\d\] )\[(?P<step>\d+)\](?= [\w./-]+=)", Scale.STEP),
        (r"(?P<step>\d+):\t(?=learn|test)", Scale.ROUND),
        (
            r"\[(?P<epoch>\d+)/(?P<epochs>\d+)\]\s*\[\s*(?P<step>\d+)/\s*(?P<total>\d+)\]",
            Scale.WITHIN,
        ),
        (r"\[(?P<epoch>\d+), *(?P<step>\d+)\](?= loss)", Scale.EITHER),
        (r"\[\s*(?P<step>\d+)\s*/\s*(?P<total>\d+)\s*\]", Scale.STEP),
        (
            r"(?i:train): *(?P<epoch>\d+) *\[ *(?P<step>\d+)/ *(?P<total>\d+)[^\]]{0,20}\]",
            Scale.WITHIN,
        ),
        (
            r"(?i:train(?:ing)?):? *\[ *(?P<epoch>\d+)(?: */ *(?P<epochs>\d+))? *\] ?"
            r"\[ *(?P<step>\d+)/ *(?P<total>\d+)[^\]]{0,20}\]",
            Scale.WITHIN,
        ),
        (
            rf"{_ROUND}:? *\[ *(?P<epoch>\d+)(?: */ *(?P<epochs>\d+))? *\] ?"
            r"\[ *(?P<step>\d+)/ *(?P<total>\d+)[^\]]{0,20}\]",
            Scale.NONE,
        ),
        (
            rf"{_ROUND}:? *(?P<epoch>\d+)? *\[ *(?P<step>\d+)/ *(?P<total>\d+)[^\]]{{0,20}}\]",
            Scale.NONE,
        ),
        (r"(?i:iter)\(train\) *\[ *(?P<step>\d+)/ *(?P<total>\d+)\]", Scale.STEP),
        (r"(?i:iter)\((?P<split>val|test)\) *\[ *(?P<step>\d+)/ *(?P<total>\d+)\]", Scale.NONE),
        # mmcv prints an evaluation in one line.
        (r"(?i:iter)\((?P<split>val|test)\) *\[\d+\]", Scale.NONE),
        (
            r"\(epoch: (?P<epoch>\d+), iters: (?P<step>\d+)[^)\n]{0,80}\)",
            Scale.EITHER,
        ),
        # Informer and its successors.
        (r"iters: (?P<step>\d+), epoch: (?P<epoch>\d+)(?= \| loss)", Scale.EITHER),
        (r"s:(?P<step>\d+)(?= )", Scale.STEP),
        (r"(?i:steps) ?: (?P<step>\d+)(?=,| loss)", Scale.STEP),
        # llama2.c: "10 | loss 9.8 | lr ..."; char-rnn: "51/2000 (epoch 0.1), train_loss = 4.1".
        (r"(?P<step>\d+) \| (?=loss )", Scale.STEP),
        # UER: "|      100/  100000 steps | 1234.56 tokens/s | loss    5.42".
        (r"\| *(?P<step>\d+)/ *(?P<total>\d+) steps \|", Scale.STEP),
        # print(step, "loss", loss).
        (
            r"(?P<step>\d+) +(?=(?i:(?:train|training|test|val|valid|validation)[ _])?"
            r"(?i:loss|cost|acc|accuracy)\b[ :=]{0,3}\d)",
            Scale.STEP,
        ),
        (r"(?P<step>\d+)/(?P<total>\d+) \(epoch (?P<epoch>\d+\.\d+)\)", Scale.STEP),
        (
            r"(?P<epoch>\d+)epoch:(?:train|(?P<split>valid)):(?:\d+-(?P<step>\d+)batch:)?",
            Scale.EITHER,
        ),
        # Padded with zeros it is no rank and no seconds.
        (r"\[(?P<step>0\d{2,9})\](?= )", Scale.STEP),
        (r"(?P<step>\d+)/(?P<total>\d+) in (?P<epoch>\d+) epoch\b", Scale.WITHIN),
        (r"(?P<epoch>\d+)\|(?P<step>\d+)\|(?=Loss)", Scale.STEP),
        # Keras-GAN: "120 [D loss: 0.6, acc.: 60.0%] [G loss: 0.9]".
        (r"(?P<step>\d+):? +(?=\[[A-Z]\w{0,12} loss: )", Scale.STEP),
        (r"(?P<step>\d+)/(?P<total>\d+|Unknown) (?=\S{0,40} ?- |.{0,60}step)", Scale.EPOCH),
    )
)
_AT_END = lazy_pattern(r"\[\s*(?P<step>\d+)\s*/\s*(?P<total>\d+)\s*\]\s*$")
"""PyTorch's tutorial: `loss: 2.303494  [   64/60000]`."""

_AFTER = lazy_pattern(
    r"(?i)(?<=\bafter )(?P<step>\d+)(?: (?:of|/) (?P<total>\d+))? (?:training )?"
    r"(?:steps|iterations|iters|updates|batches)\b"
)
"""`loss after 100 iterations: 0.5`."""

_AFTER_EPOCH = lazy_pattern(
    r"(?i)(?<=\bafter )(?P<epoch>\d+)(?:st|nd|rd|th)? epochs?\b(?P<epochs>)(?P<split>)"
)

_BAR = lazy_pattern(
    r"(?:\d{0,3}%\|\| *(?P<step>\d+)/(?P<total>\d+) *|(?<![\w.])(?P<count>\d+)it )\["
)
"""A tqdm bar without its gauge and clocks."""

_STEPS_HEAD = lazy_pattern(r"(?i)\W*(?:global |total |train(?:ing)? )?steps\b")
"""Description of a bar over the steps of a whole training, as scripts of diffusers draw it."""

_SPLIT_BEFORE = lazy_pattern(r"(?i)\b(?:(?P<test>test)|val(?:id(?:ation)?)?|eval|dev|cv)[ _-]$")
_SURE = lazy_pattern(r"(?i)global|total|num_updates|optimizer|current|train(?:er)?/")
_AT_START = 24
"""Characters before a position that still counts as the head of its line."""


def position(body: str, start: int) -> LinePosition:
    """Find the position in a masked line.

    Args:
        body: The line, with all that looks like a clock or a path blanked out.
        start: Index of the first character of the message.
    """
    head = _start(body, start)
    if head is not None:
        return head
    epoch = _AFTER_EPOCH.search(body, start) or _EPOCH.search(body, start)
    bar = _BAR.search(body, start)
    if bar:
        return _of_bar(body, start, epoch, bar)
    step, before = _best_step(body, start)
    within = _behind(body, epoch) if epoch else None
    if epoch is None and step is None:
        end = _AT_END.search(body, start) or _AFTER.search(body, start)
        return LinePosition() if end is None else _of_epoch(body, start, None, end, Scale.STEP)
    if within is not None and (step is None or not _SURE.match(step["name"])):
        if epoch and _split_of(epoch["split"] or "") and "total" not in within.groupdict():
            # mmcv prints an evaluation in one line.
            return _of_epoch(body, start, epoch, None, Scale.WITHIN, extra=(within.span(),))
        return _of_epoch(body, start, epoch, within, Scale.WITHIN)
    if step is None:
        return _of_epoch(body, start, epoch, None, Scale.EPOCH)
    if epoch is not None and (validated := _of_validation(body, epoch, step)) is not None:
        return validated
    scale = Scale.STEP if epoch is None or _SURE.match(step["name"]) else Scale.EITHER
    inner = before if within is None else (*before, within.span())
    return _of_epoch(body, start, epoch, step, scale, extra=inner)


def _start(body: str, start: int) -> LinePosition | None:
    for pattern, scale in _LINE_STARTS:
        found = pattern.match(body, start)
        if found is None:
            continue
        groups = found.groupdict()
        split = groups.get("split") or ""
        total = found.span("total") if groups.get("total", "").isdigit() else None
        if (
            scale is Scale.STEP
            and "total" in groups
            and (epoch := _EPOCH.search(body, found.end()))
        ):
            # "[12/400] epoch 3": a counter in front of an epoch.
            return _of_epoch(body, start, epoch, found, Scale.EITHER)
        return LinePosition(
            scale,
            found.span("step") if "step" in groups else None,
            total,
            found.span("epoch") if groups.get("epoch") else None,
            found.span("epochs") if groups.get("epochs") else None,
            True,
            _split_of(split),
            (found.span(),),
        )
    return None


def _split_of(word: str) -> str:
    """The split that a word before a position names, empty for the train set."""
    name, _, averaged = word.lower().partition(" ")
    if name in ("", "train"):
        return ""
    split = "test" if name == "test" else "eval"
    return f"{split}_ema" if averaged else split


def _behind(body: str, epoch: re.Match[str]) -> re.Match[str] | None:
    within = _BEHIND_EPOCH.match(body, epoch.end())
    if within is None and "(" in epoch[0]:
        within = _PLAIN_BEHIND_EPOCH.match(body, epoch.end())
    return within


def _best_step(body: str, start: int) -> tuple[re.Match[str] | None, tuple[TextSpan, ...]]:
    """The step that counts from the start of the run, or else the first one; and those before."""
    found = list(_STEP.finditer(body, start))
    best = next((step for step in found if _SURE.match(step["name"])), found[0] if found else None)
    return best, tuple(step.span() for step in found[: found.index(best) if best else 0])


def _of_validation(body: str, epoch: re.Match[str], step: re.Match[str]) -> LinePosition | None:
    """The position in `epoch: 3 val step: 20`, which counts the batches of an evaluation."""
    split = _SPLIT_BEFORE.search(body, epoch.end(), step.start())
    if split is None:
        return None
    place = _of_epoch(body, epoch.start(), epoch, step, Scale.NONE)
    return replace(place, split="test" if split["test"] else "eval")


def _of_bar(body: str, start: int, epoch: re.Match[str] | None, bar: re.Match[str]) -> LinePosition:
    if epoch is not None and epoch.start() < bar.start():
        if bar["total"]:
            # Where parts of an epoch are counted, the bar may count the steps of the whole run.
            scale = Scale.EITHER if "." in epoch["epoch"] else Scale.WITHIN
            return _of_epoch(body, start, epoch, bar, scale, extra=(bar.span(),))
        place = _of_epoch(body, start, epoch, None, Scale.EITHER, extra=(bar.span(),))
        return replace(place, step=bar.span("count"))
    step = bar.span("count") if bar["count"] else bar.span("step")
    total = bar.span("total") if bar["total"] else None
    scale = Scale.STEP if _STEPS_HEAD.match(body, start) else Scale.EITHER
    return LinePosition(scale, step, total, leading=True, taken=(bar.span(),))


def _of_epoch(
    body: str,
    start: int,
    epoch: re.Match[str] | None,
    step: re.Match[str] | None,
    scale: Scale,
    extra: tuple[TextSpan, ...] = (),
) -> LinePosition:
    spans = [found.span() for found in (epoch, step) if found is not None]
    head = body[start : min(span[0] for span in (*spans, *extra))].strip(" |[(-*#=>:\t")
    groups = step.groupdict() if step is not None else {}
    # mmengine's "Epoch(train) [7]" counts from 1, the bullets of Lightning's rich bar from 0.
    zero = False if epoch is not None and "(" in epoch[0] else True if "•" in body else None
    return LinePosition(
        scale,
        step.span("step") if step is not None else None,
        step.span("total") if step is not None and groups.get("total") else None,
        epoch.span("epoch") if epoch is not None else None,
        epoch.span("epochs") if epoch is not None and epoch["epochs"] else None,
        len(head) <= _AT_START and not any(c.isdigit() for c in head),
        _split_of((epoch["split"] or "") if epoch is not None else ""),
        (*spans, *extra),
        zero,
    )
