"""What frameworks print that write no metrics file of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from lossmon.readers.text.reader import TextReader
from tests.readers.growing import read_growing, read_whole

COMPOSER = "".join(
    f"[batch={i}/6]:\n\t Train time/batch: {i - 1}\n\t Train loss/train/total: {9 - i}.5000\n"
    "\t Train metrics/train/LanguagePerplexity: 12.3\n"
    + (
        f"[Eval batch=1/10] Eval on eval data\n[batch={i}/6]:\n"
        f"\t Eval metrics/eval/LanguageCrossEntropy: {9 - i}.7000\n"
        if i % 3 == 0
        else ""
    )
    for i in range(1, 7)
)
DEEPSPEED = "".join(
    f"[2026-11-21 11:30:0{i},037] [INFO] [logging.py:96:log_dist] [Rank 0] step={i}0, skipped=0, "
    "lr=[2.17e-06, 2.17e-06], mom=[[0.9, 0.95]]\n"
    f"steps: {i}0 loss: {9 - i}.5000 iter time (s): 1.234 samples/sec: 25.9\n"
    for i in range(1, 5)
)
ESPNET = "".join(
    f"[node1] 2026-11-21 11:30:0{e},123 (trainer:756) INFO: {e}epoch:train:{i}-{i + 49}batch: "
    f"iter_time=0.01, loss_ctc=2.5, loss={9 - e}.500, grad_norm=12.3, optim0_lr0=1.0e-04\n"
    for e in (1, 2)
    for i in (1, 51)
)
FAIRSEQ = "".join(
    "".join(
        f"2026-11-21 11:30:0{i} | INFO | train_inner | epoch {e:03}:    {i}0 / 60 "
        f"loss={9 - e}.500, ppl=4.5, wps=12345.6, num_updates={(e - 1) * 60 + i * 10}, "
        "lr=0.0005, gnorm=1.2\n"
        for i in (3, 6)
    )
    + f"2026-11-21 11:31:00 | INFO | valid | epoch {e:03} | valid on 'valid' subset | loss 3.5 | "
    f"ppl 4.5 | num_updates {e * 60} | best_loss 3.5\n"
    f"2026-11-21 11:31:02 | INFO | train | epoch {e:03} | loss 2.5 | ppl 4.5 | "
    f"num_updates {e * 60} | lr 0.0005\n"
    for e in (1, 2)
)
FLAIR = "".join(
    "".join(
        f"2026-11-21 11:30:0{i},123 epoch {e} - iter {i}0/60 - loss {9 - e}.5 - time (sec): 1.50 "
        "- samples/sec: 123.45 - lr: 0.100000\n"
        for i in (3, 6)
    )
    + f"2026-11-21 11:31:00,123 EPOCH {e} done: loss 2.5 - lr: 0.100000\n"
    "2026-11-21 11:31:05,123 DEV : loss 3.5 - f1-score (micro avg)  0.81\n"
    for e in (1, 2)
)
OLMO = (
    "".join(
        f"2026-11-21 11:30:05.123 node-0:0 olmo.train:967 INFO [step={i}/1000,epoch=1]\n"
        f"    train/CrossEntropyLoss={9 - i}.5\n    train/Perplexity=4.5\n"
        for i in range(1, 5)
    )
    + "2026-11-21 11:30:05.123 node-0:0 olmo.train:967 INFO [eval_step=4/60]\n"
    + ("    eval/c4/CrossEntropyLoss=2.3\n")
)
SPACY = (
    "E    #       LOSS TOK2VEC  LOSS NER  ENTS_F  ENTS_P  ENTS_R  SCORE \n"
    "---  ------  ------------  --------  ------  ------  ------  ------\n"
    "  0       0         20.50     99.50    0.00    0.00    0.00    0.00\n"
    "  0     200         10.50     89.50   50.00   55.00   66.00    0.50\n"
    "  1     400          5.50     79.50   51.00   55.00   66.00    0.51\n"
)
LLM_C = "".join(
    f"step {i:6}/19560 | loss {9 - i}.5 (+nanz)| norm 15.3912 (+nanz)| lr 2.57e-07 | 1024.13 ms | "
    "45.1% bf16 MFU | 511893 tok/s\n" + ("val loss 3.29\n" if i % 2 == 0 else "")
    for i in range(1, 5)
)
NEMO = "".join(
    f"Training epoch 0, iteration {i}/9 | lr: 0.0006 | consumed_samples: {i * 32} | "
    f"global_step: {i} | reduced_train_loss: {9 - i}.5"
    + (f" | val_loss: {4 - i // 3}.106" if i >= 2 else "")
    + "\n"
    for i in range(5)
)

RUNS = {
    "Composer": (
        COMPOSER,
        ("Train loss/train/total", [1, 2, 3, 4, 5, 6]),
        ("Eval metrics/eval/LanguageCrossEntropy", [3, 6]),
    ),
    "DeepSpeed": (DEEPSPEED, ("loss", [10, 20, 30, 40]), ("samples/sec", [10, 20, 30, 40])),
    "ESPnet": (ESPNET, ("loss", [50, 100, 150, 200]), ("loss_ctc", [50, 100, 150, 200])),
    "fairseq": (FAIRSEQ, ("loss", [30, 60, 90, 120]), ("eval/loss", [60, 120])),
    "Flair": (FLAIR, ("loss", [30, 60, 90, 120]), ("eval/loss", [60, 120])),
    "OLMo": (OLMO, ("train/CrossEntropyLoss", [1, 2, 3, 4]), ("eval/c4/CrossEntropyLoss", [4])),
    "spaCy": (SPACY, ("LOSS NER", [0, 200, 400]), ("eval/SCORE", [0, 200, 400])),
    "llm.c": (LLM_C, ("loss", [1, 2, 3, 4]), ("val loss", [2, 4])),
    "NeMo": (NEMO, ("reduced_train_loss", [0, 1, 2, 3, 4]), ("val_loss", [2, 3])),
}


@pytest.mark.parametrize("name", RUNS)
def test_what_a_framework_prints_is_read_at_its_steps(tmp_path: Path, name: str) -> None:
    content, *expected = RUNS[name]
    path = tmp_path / "train.log"
    path.write_text(content)
    whole = read_whole(TextReader(path))
    for tag, steps in expected:
        assert [step for step, _ in whole.values(tag)] == steps
    for cut in range(1, len(content), 11):
        grown = read_growing(path, content.encode(), [cut], TextReader)
        assert (grown.series, grown.orders) == (whole.series, whole.orders), cut


def test_where_a_logger_was_called_is_no_metric(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    path.write_text(ESPNET)
    assert not {"trainer", "train"} & read_whole(TextReader(path)).series.keys()


def test_the_mean_of_an_epoch_is_no_step_of_it(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    path.write_text(FAIRSEQ)
    assert read_whole(TextReader(path)).values("loss_epoch") == [(60, 2.5), (120, 2.5)]
