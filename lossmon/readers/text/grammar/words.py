"""Words of training logs: names that are metrics, names that never are, what hides numbers."""

from __future__ import annotations

import re

from lossmon.lazy_pattern import lazy_pattern

NUMBER = r"[-+]?(?:\d++(?:_\d++)*+(?:\.\d*+)?+|\.\d++)(?:[eE][-+]?\d++)?+"
"""A finite number as programs print it. Possessive, so that no line makes it backtrack."""

NONFINITE = r"[-+]?(?i:nan|inf(?:inity)?)(?!\w)"

GROUPED = r"[-+]?[1-9]\d{0,2}(?:,\d{3})++(?![\d,])(?:\.\d++)?+"
"""A number with commas between its thousands."""

TOKEN = re.compile(
    rf"(?<![\w.@])(?<!\w-)(?<!\d,)(?<!@\.5:)(?<!@0\.5:)(?:{GROUPED}|(?![-+]?\d++,\d){NUMBER}|{NONFINITE})"
)
"""A number that is not part of a word (`top1`, `mAP50-95`, `mAP@.5:.95`, `Acc@1`).

Neither part of `0,4321` is one: where a comma stands for the point, a guess would be wrong by
orders of magnitude.
"""

WORTH = re.compile(
    r"loss|epoch|step|iter|acc|ppl|perplex|auc|reward|batch|rmse|mae|mse|tr?[el]l:|eval|val|"
    r"test|lr|updates|bp[bc]|nll|learn|dev|score|return|损失|准确率|精度|学习率|困惑度|"
    r"\dg |\d train |trial \d|up\. | avg|average|instances|rollout/|\| time/|train(?:ing)?'s |"
    r"training\W*$|prec@|map@|dice|iou|psnr|cost|recall|bleu|error:"
)
"""A line that the grammar must look at holds one of these words, in lower case."""

LOSS_NAME = lazy_pattern(
    r"(?i)(?:(?<![a-z])|(?<=log)|(?-i:(?<=[a-z])(?=[A-Z])))(?:loss(?:es)?|nll|ppl|perplexity|rmse|mse|mae|bpb|bpc|"
    r"crossentropy|cross[_ -]entropy|trl|tel|wer|cer)(?:[_ /@.\d-]|$|\()|loss$|^loss|损失"
)
"""Names that are believed even where a line says no step: nothing but training prints them."""

LOSS_END = lazy_pattern(
    r"(?i)(?:loss(?:es)?|nll|ppl|perplexity|rmse|mse|mae|bpb|bpc|cross[_ ]?entropy|deviance|"
    r"wer|cer|损失)$"
)
"""How the name of a loss ends; `mae_mask_ratio` is a setting."""

METRIC_WORD = lazy_pattern(
    r"(?ix)(?<![a-z])(?:"
    r"loss(?:es)?|logloss|nll|cross_?entropy|smooth_?l1|ppl|perplexity|rmse|mse|mae|mape|rmsle|bpb|bpc|bpd|n?elbo|kl|kld|ce|bce|"
    r"error|err|b?wer|b?cer|cost|objective|trl|tel|learn|deviance|"
    r"acc|accs|accuracy|accuracies|acc@?\d+|prec@?\d*|top-?\d+|top\d|auc|roc|auroc|aupr|f1|fscore|f-score|"
    r"precision|recall|map|map50|ap|ap50|ap75|miou|iou|dice|dsc|bleu\d?|rouge[\w-]*|meteor|"
    r"psnr|ssim|fid|reward|rewards|return|score|entropy|margins?|ndcg|mrr|hits?@?\d*|r2|mcc|"
    r"spearman|pearson|kappa|\w*samplespersec|tokens/sec|it/sec|lr|norm|gnorm|mfu|em|pass@\d+|throughput|ips|wps|"
    r"kl_loss|log_?likelihood|logps|advantages?|tps|fps|tok/s|tokens/s|samples/s|samples/sec"
    r")(?![a-z])"
    r"|^eval$|损失|准确率|精度|学习率|困惑度|loss|deviance|accuracy|"
    r"(?:learning|grad\w*)[ _]?(?:rate|norm)"
)
"""A name that holds one of these is a metric, wherever the number stands."""

SPACED_LAST = lazy_pattern(
    r"(?i)^(?:.*[\s_/.-])?(?:loss(?:es)?|\w+loss|loss[_/]\w{1,20}|nll|ppl|perplexity|"
    r"acc\d?|accuracy|(?:acc|prec)@\d+|top-?\d|auc|f1|lr|norm|gnorm|grad_norm|mfu|reward|return|score|"
    r"rmse|mse|mae|b?ce|cost|objective|n?elbo|bpd|bleu|rouge[\w-]{0,5}|iou|miou|dice|kl|entropy|wer|cer|map(?:@[\d.:]+)?|"
    r"learning_rate|learning rate|em|"
    r"error|err|val_\w+|tokens?/s(?:ec)?|tok/s|it/s(?:ec)?|samples?/s(?:ec)?|images?/s(?:ec)?|"
    r"ips|wps|precision|recall|f1-score|\w*(?:损失|准确率|精度|学习率|困惑度)"
    r")(?: \([a-z ]{1,20}\))?$"
)
"""What the last word must be where only a space or a comma parts name and number."""

NEVER = lazy_pattern(
    r"(?ix)(?:^|[\W_])(?:"
    r"times?|eta|etas?|elapsed|remaining|remain|duration|runtime|date|seed|rank|port|pid|version|"
    r"params?|parameters?|batchsize|bs|size|samples?|skipped|mom|momentum|betas?|eps|epsilon|"
    r"weights?|coef|coefs?|coefficient|scale|max|min|clip|type|fn|num|number|count|best|worst|patience|"
    r"v_num|hp_metric|memory|mem|gpus?|cpu|vram|ram|layers?|heads?|dim|hidden|vocab|workers?|"
    r"world|nodes?\d*|devices?\d*|(?:gpu|cuda|rank|worker|host|proc)\d+|length|len|width|height|images?|instances?|epochs|iters|iterations|steps|interval|"
    r"warmup|decay|dropout|threshold|delta|tolerance|tol|id|index|trial|fold|line|file|at|from|"
    r"wall|timestamp|zeros|mb|gb|mib|gib|kb|bytes|data|timing\w*|data_time|batch_cost|data_cost|reader_cost|"
    r"ms|sec|secs|seconds|minutes|hours|train_runtime|loss_scale|total_flos|percentage|progress|"
    r"python|cuda|torch|pytorch|gcc|driver|nvidia|alpha|gamma|lambda|temp|classes|labels?|"
    r"checkpoint|ckpt|saved|saving|improved|initial|minimum|target|expected|examples|steps_per_second|"
    r"training\ cost|samples_per_second|micro_step|workspace|level|year|day|month|hour"
    r")(?=$|[\W_])|^(?:s|t|n|i|it|x|y|z|k|p|v)$|_ms$|_s$|\((?:t|m?s|secs?|min|h)\)$|(?:^|/)(?:global_)?(?:step|epoch|iter|iteration)$"
)
"""A name with one of these words is a setting, a clock or a count, not a curve."""

AIMED = lazy_pattern(
    r"(?i)(?:^|[\W_])(?:expected|target|threshold|initial|desired|stop)(?=$|[\W_])|"
    r"(?:^|[\W_])(?:best|max|warmup)[ _-](?:[a-z]+[ _-])?loss$"
)
"""A name with one of these words stands for a value that was not measured now, or for an order."""

YET = lazy_pattern(
    r"(?ix)(?:^|[\W_])(?:"
    r"(?:samples?|images?|tok(?:en)?s?)/s(?:ec)?|samples?\ per\ second|"
    r"tokens?[_/]per[_/]sec(?:ond)?\w*|"
    r"clip_?(?:ratio|frac(?:tion)?)|clipfrac|min_?loss_?\w+|elapsed\ time\ per\ iteration.*|"
    r"step_?time|step_avg|scale_?loss|number\ of\ nan\ iterations|throughput\b.*|"
    r"max_?prob|total_loss|mean_token_accuracy|iter_time|loss|train_loss|val_loss|"
    r"(?:response|completions?)[_/](?:mean_)?length(?:/mean)?|ep_rew_mean|ep_len_mean|num_tokens|num_input_tokens_seen|total_tokens|"
    r"\w+samplespersec|time_per_step"
    r")$"
)
"""Names that are metrics although `NEVER` knows one of their words."""

EVAL_NAME = lazy_pattern(
    r"(?i)(?:^|[\W_\d])(?:eval(?:uation)?|val(?:i|id(?:ation)?)?|dev|test(?:ing)?|tel|heldout)(?:$|[\W_\d])|"
    r"^(?:val|eval|test|valid)(?:loss|acc|deviance)|验证|测试|评估"
)
"""A name that says by itself that it was measured on held-out data."""

LONE_SPLIT = lazy_pattern(
    r"(?i)(?P<train>tr|train(?:ing)?)|(?:va|val(?:id(?:ation)?)?|vl|eval|test|dev)"
)
"""A split that stands alone before a number: `train 0.53 | val 0.61` means the loss."""

RATE = lazy_pattern(r"(?i)lr|learning[ _]rate")
"""Begins the name of a learning rate, which is that of the training in every line."""

SAYS_SPLIT = lazy_pattern(rf"{EVAL_NAME.pattern}|(?:^|[\W_])train(?:ing)?(?:$|[\W_])|训练")
"""A name that says on which data it was measured, whichever that is."""

UNIT = lazy_pattern(
    r"\s?(?:tok(?:en)?s?/s(?:ec)?|samples?/s(?:ec)?|images?/s(?:ec)?|imgs?/s(?:ec)?|"
    r"examples?/s(?:ec)?|words?/s|steps?/s(?:ec)?|iters?/s(?:ec)?)(?![\w/]|\s*[:=])"
)
"""A rate that stands behind its number: `511893 tok/s`."""

MAXIMISED = lazy_pattern(r"(?:auc|aucpr|ndcg|map|pre|acc|accuracy|f1|r2)(?:[@-]|$)")
"""Begins the name of a metric of boosted trees that is maximised."""


def is_metric(name: str) -> bool:
    """Whether a name with `:` or `=` behind it can be a curve at all."""
    if YET.search(name):
        return not AIMED.search(name)
    return not NEVER.search(name)


def is_known(name: str) -> bool:
    """Whether a name is a metric for sure, by one of its words."""
    return METRIC_WORD.search(name) is not None and is_metric(name)


def is_loss(name: str) -> bool:
    """Whether a name is a loss, believed even in a line without a step."""
    return LOSS_NAME.search(name) is not None and is_metric(name)


_SAME = str.maketrans("：，；＝≈（）【】％", ":,;==()[]%")
_KEPT = "•"
"""Bullets part the columns of Lightning's bar, by which it is known."""


class _Symbols(dict[int, str | int]):
    """A table for `str.translate`: rules, dashes, arrows and pictures become `|`.

    Letters of every script stay, and each sign becomes exactly one, so that places do not move.
    """

    def __init__(self) -> None:
        super().__init__(_SAME)
        self[ord(_KEPT)] = _KEPT

    def __missing__(self, code: int) -> str | int:
        letter = chr(code)
        if code < 128 or letter.isalnum():
            self[code] = code
        elif letter.isspace() or not letter.isprintable() or code in range(0xFE00, 0xFE10):
            self[code] = " "
        else:
            self[code] = "|"
        return self[code]


_MASKS = tuple(
    re.compile(pattern)
    for pattern in (
        r"https?://\S+",
        r"(?<=[:=] )\[\(\d+, ['\"]?(?=[-+]?\d)",
        r"(?<!\S)[-=*#]{4,}(?=[A-Za-z])|(?<=\d)[-=*#]{4,}",
        r"\((?!step|epoch|iter)[A-Za-z_][\w.]{0,60}:\d{1,6}\)",
        r"(?<![\d.])\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)?",
        r"(?:\d{1,4} days?, )?(?<![\w.])\d{1,3}:\d{2}:\d{2}(?:[.,]\d+)?(?![\w])",
        r"(?<![\w.:%])\d{1,2}:\d{2}(?:\.\d+)?(?=[\s\],)<])(?!\s*\|)",
        r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?![\w.])",
        r"(?<![\w.])v?\d+\.\d+\.\d+[\w.+-]*",
        r"(?<![\w)/])[~.]{0,2}/(?:[\w.@=+-]{1,120}/){1,40}[\w.@=+-]{0,200}",
        r"(?<!\w)[A-Z]:\\\S{1,300}",
        r"[\w./=-]{1,200}\.(?:ckpt|pth?|bin|safetensors|json|jsonl|yaml|yml|txt|log|csv|py|h5|keras|"
        r"npz|npy|png|jpg|gz|tar|zip|model|pkl|onnx|gguf)\b",
        r"(?<![\w.])(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{7,64}(?![\w.])",
        r"(?i:\brank|\bport|\bpid|\bgpu|\bcuda|\bdevice|\bnode|\bseed)[ :=]{1,2}\d+",
    )
)
"""Clocks, versions, paths and ids, whose numbers are never metrics; the index in `[(0, 1.5)]`."""

_ORNAMENTS = _Symbols()


def masked(line: str) -> str:
    """The line with clocks, versions, paths and ids blanked out, of the same length."""
    for mask in _MASKS:
        line = mask.sub(_blank, line)
    return line if line.isascii() else line.translate(_ORNAMENTS)


def _blank(found: re.Match[str]) -> str:
    return " " * len(found[0])
