"""Lines of training scripts that nobody has told the grammar about."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from lossmon.readers.text.explain import explain_line
from lossmon.readers.text.log import NEAR
from lossmon.readers.text.reader import TextReader
from tests.readers.growing import read_growing, read_whole

RECORDS: list[tuple[str, dict[str, float], str]] = [
    ("[12/100] train 0.53 | val 0.61", {"train": 0.53, "val": 0.61}, "step=12 total=100"),
    (
        "[12/100] train: 0.53 val: 0.61 (best 0.60 @ 9)",
        {"train": 0.53, "val": 0.61},
        "step=12 total=100",
    ),
    (
        "Epoch 12/100: train 0.5312 / val 0.6120 / acc 87.3%",
        {"train": 0.5312, "val": 0.612, "acc": 87.3},
        "epoch=12 epochs=100",
    ),
    (
        "ep 3 | it 400 | loss 0.534 (0.561) | lr 3.0e-04 | 12.3k tok/s | 41.2 GB",
        {"loss": 0.534, "lr": 0.0003, "tok/s": 12300.0},
        "step=400 epoch=3",
    ),
    (
        "loss=1.2e-3 (avg 1.3e-3) step=1500/20000 lr=5e-5 eta 1:23:45",
        {"loss": 0.0012, "lr": 5e-05},
        "step=1500 total=20000",
    ),
    (
        "00:12:34 [INFO] step 1,500 of 20,000 - loss 1.234 - 3.4 s/step - ETA 2h 13m",
        {"loss": 1.234},
        "step=1,500 total=20,000",
    ),
    (
        "2026-11-21T11:30:05.123Z step=100 loss=0.5321 grad=1.23 mem=12.3GB",
        {"loss": 0.5321, "grad": 1.23},
        "step=100",
    ),
    (
        "Epoch [3/50], Step [100/600], Loss: 0.4321, Acc: 87.50%",
        {"Loss": 0.4321, "Acc": 87.5},
        "step=100 total=600 epoch=3 epochs=50",
    ),
    (
        "Epoch 3/50 completed in 123.4s, avg loss: 0.4321, val_acc: 0.8812, best: 0.8901 (epoch 2)",
        {"avg loss": 0.4321, "val_acc": 0.8812},
        "epoch=3 epochs=50",
    ),
    (
        "epoch=2.50 step=1250 train/ce=2.345 train/z_loss=0.0012 lr=0.00030",
        {"train/ce": 2.345, "train/z_loss": 0.0012, "lr": 0.0003},
        "step=1250 epoch=2.50",
    ),
    (
        "[step 00100] loss: 2.345 | nll: 2.344 | tps: 12,345 | mfu: 45.6% | gpu mem: 61.2/80.0 GiB",
        {"loss": 2.345, "nll": 2.344, "tps": 12345.0, "mfu": 45.6},
        "step=00100",
    ),
    ("it:100 tr:2.345 va:2.456 lr:1e-4", {"tr": 2.345, "va": 2.456, "lr": 0.0001}, "step=100"),
    (
        "iter 100 train_loss=2.345 valid_loss=2.456 dt=123.45ms",
        {"train_loss": 2.345, "valid_loss": 2.456},
        "step=100",
    ),
    (
        "train | epoch 3 | batch 100/600 | loss 0.4321 | ppl 1.54 | 12.3 ms/batch",
        {"loss": 0.4321, "ppl": 1.54},
        "step=100 total=600 epoch=3",
    ),
    ("valid | epoch 3 | loss 0.5321 | ppl 1.70", {"eval/loss": 0.5321, "eval/ppl": 1.7}, "epoch=3"),
    (">> Validation: loss = 0.5321, acc = 88.12 %", {"eval/loss": 0.5321, "eval/acc": 88.12}, ""),
    (
        "--- epoch 3 done: train_loss 0.4321 val_loss 0.5321 time 12.3s ---",
        {"train_loss_epoch": 0.4321, "val_loss": 0.5321},
        "epoch=3",
    ),
    ("Ep. 3 tr_loss 0.4321 vl_loss 0.5321", {"tr_loss": 0.4321, "vl_loss": 0.5321}, "epoch=3"),
    (
        "Epoch: 003 | Train Loss: 0.4321 | Train Acc: 87.50% | Val Loss: 0.5321 | Val Acc: "
        "85.00% | Time: 1m 23s",
        {"Train Loss": 0.4321, "Train Acc": 87.5, "Val Loss": 0.5321, "Val Acc": 85.0},
        "epoch=003",
    ),
    ("\tTrain Loss: 0.4321 | Train PPL:   1.540", {"Train Loss": 0.4321, "Train PPL": 1.54}, ""),
    ("\t Val. Loss: 0.5321 |  Val. PPL:   1.702", {"Val. Loss": 0.5321, "Val. PPL": 1.702}, ""),
    (
        "Epoch 3: Training loss 0.4321, Validation loss 0.5321, learning rate 0.0003",
        {"Training loss": 0.4321, "Validation loss": 0.5321, "learning rate": 0.0003},
        "epoch=3",
    ),
    (
        "[2026-11-21 11:30:05] (train.py:123) Iter 100: loss_total=2.345 loss_ce=2.1 "
        "loss_aux=0.245",
        {"loss_total": 2.345, "loss_ce": 2.1, "loss_aux": 0.245},
        "step=100",
    ),
    (
        "Step: 100, Training Loss: 2.345000, Validation Loss: 2.456000",
        {"Training Loss": 2.345, "Validation Loss": 2.456},
        "step=100",
    ),
    ("Mean training loss at epoch 3: 0.4321", {"Mean training loss": 0.4321}, "epoch=3"),
    ("Mean validation loss at epoch 3: 0.5321", {"Mean validation loss": 0.5321}, "epoch=3"),
    ("* Epoch 3 | Loss 0.4321 (ce 0.4 + reg 0.0321)", {"Loss": 0.4321, "ce": 0.4}, "epoch=3"),
    ('{"epoch": 3, "loss": 0.4321}', {"loss": 0.4321}, "epoch=3"),
    (
        "Global step 1500, epoch 2.5, loss 1.234, lr 0.00005, samples/sec 123.4",
        {"loss": 1.234, "lr": 5e-05, "samples/sec": 123.4},
        "step=1500 epoch=2.5",
    ),
    (
        "update 1500: loss 1.234 (ema 1.245), |g| 0.98, lr 5.00e-05, 0.34 s/update",
        {"loss": 1.234, "lr": 5e-05},
        "step=1500",
    ),
    ("Step 100 | Loss 2.345 | Δ -0.012 | lr 3e-4", {"Loss": 2.345, "lr": 0.0003}, "step=100"),
    ("loss at iteration 100: 2.345", {"loss": 2.345}, "step=100"),
    (
        "Epoch 3 finished with loss of 0.4321 and accuracy of 87.5 %",
        {"loss_epoch": 0.4321, "accuracy_epoch": 87.5},
        "epoch=3",
    ),
    ("Test: accuracy 0.8812, loss 0.5321", {"test/accuracy": 0.8812, "test/loss": 0.5321}, ""),
    ("rmse after epoch 3 = 0.4321", {"rmse": 0.4321}, "epoch=3"),
    ("validation loss on epoch 3: 0.4321", {"validation loss": 0.4321}, "epoch=3"),
    (
        "Round 12: global loss 0.4321, client losses [0.41, 0.45, 0.44], acc 0.87",
        {"global loss": 0.4321, "acc": 0.87},
        "step=12",
    ),
    (
        "episode 120 | reward 23.4 | len 200 | loss 0.0123 | eps 0.45",
        {"reward": 23.4, "loss": 0.0123},
        "step=120",
    ),
    (
        "Epoch 003/100 ─ loss 0.4321 ─ val_loss 0.5321 ─ 12s",
        {"loss": 0.4321, "val_loss": 0.5321},
        "epoch=003 epochs=100",
    ),
    (
        "[Epoch 3/50][Batch 100/600][Loss 0.4321][ETA 0:12:34]",
        {"Loss": 0.4321},
        "step=100 total=600 epoch=3 epochs=50",
    ),
    (
        "Train Epoch: 3 [6400/60000 (11%)]\tLoss: 0.432100\tAcc: 87.5%\tTime: 12.3 s",
        {"Loss": 0.4321, "Acc": 87.5},
        "step=6400 total=60000 epoch=3",
    ),
    (
        "train_loss: 0.4321 - val_loss: 0.5321 - 12s 20ms/step",
        {"train_loss": 0.4321, "val_loss": 0.5321},
        "",
    ),
    (
        "step=100|loss=2.345|aux=0.1|acc=0.5|v=1.2.3",
        {"loss": 2.345, "aux": 0.1, "acc": 0.5},
        "step=100",
    ),
    ("Iteration 100, loss = 0.43210000", {"loss": 0.4321}, "step=100"),
    ("[3,   100] loss: 0.432", {"loss": 0.432}, "step=100 epoch=3"),
    (
        "Epoch 3 (lr=0.0003): 100%, loss=0.4321, dice=0.87, HD95=12.3",
        {"lr": 0.0003, "loss": 0.4321, "dice": 0.87, "HD95": 12.3},
        "epoch=3",
    ),
    ("[Train] epoch 3 step 100 loss 0.4321", {"loss": 0.4321}, "step=100 epoch=3"),
    (
        "[Eval ] epoch 3 loss 0.5321 top1 87.5 top5 98.1",
        {"eval/loss": 0.5321, "eval/top1": 87.5, "eval/top5": 98.1},
        "epoch=3",
    ),
    (
        "(epoch 3) (train) loss: 0.4321 (val) loss: 0.5321",
        {"train loss": 0.4321, "val loss": 0.5321},
        "epoch=3",
    ),
    (
        "TRAIN [3][100/600] Time 0.12 (0.13) Data 0.01 (0.02) Loss 0.4321 (0.4500) Acc@1 "
        "87.50 (86.12)",
        {"Loss": 0.4321, "Acc@1": 87.5},
        "step=100 total=600 epoch=3",
    ),
    ("EVAL [3] Loss 0.5321 Acc@1 85.00", {"eval/Loss": 0.5321, "eval/Acc@1": 85.0}, ""),
    ("step 5: the loss is 0.4321", {"loss": 0.4321}, "step=5"),
    ("step 5 lr=[1e-05,1e-05] loss=0.5", {"lr": 1e-05, "loss": 0.5}, "step=5"),
    ("step 5 | tokens/s 12,345 | loss 2,345", {"tokens/s": 12345.0}, "step=5"),
    ("step 10 loss 1,234.5", {"loss": 1234.5}, "step=10"),
    (
        "Epoch 3/10 2026-11-21 loss: 0.5 (Δ=-0.01) lr: 1.0e-4→9.0e-5",
        {"loss": 0.5, "lr": 0.0001},
        "epoch=3 epochs=10",
    ),
    ("Progress: 3/10 (30%) - loss: 0.5 - eta: 3:21", {"loss": 0.5}, ""),
    (
        "progress 30% step 300/1000 loss 0.5 elapsed 1h23m eta 2h05m",
        {"loss": 0.5},
        "step=300 total=1000",
    ),
    (
        "t=12.3s step=100 loss=0.5 imgs/s=1234 mem=12345MB temp=67C",
        {"loss": 0.5, "imgs/s": 1234.0},
        "step=100",
    ),
    ("step 100: loss=0.5 (min 0.4, max 0.6, std 0.05)", {"loss": 0.5}, "step=100"),
    ("step 100 losses: total=0.5 ce=0.4 kl=0.1", {"total": 0.5, "ce": 0.4, "kl": 0.1}, "step=100"),
    (
        "step 100 - train: loss=0.5 acc=0.9 - val: loss=0.6 acc=0.85",
        {"loss": 0.5, "acc": 0.9, "eval/loss": 0.6, "eval/acc": 0.85},
        "step=100",
    ),
    (
        "Step 100/1000 (epoch 1.25) train_loss: 0.5 val_loss: n/a",
        {"train_loss": 0.5},
        "step=100 total=1000 epoch=1.25",
    ),
    (
        "Step 100/1000 train_loss: nan val_loss: inf",
        {"train_loss": math.nan, "val_loss": math.inf},
        "step=100 total=1000",
    ),
    ("Step 100 loss: 0.5±0.1 acc: 0.9±0.01", {"loss": 0.5, "acc": 0.9}, "step=100"),
    ("step 100 loss 0.5 at 2026-11-21 11:30:05", {"loss": 0.5}, "step=100"),
    ("node-3 step 100 loss 0.5", {"loss": 0.5}, "step=100"),
    ("gpu0: step 100 loss 0.5", {"loss": 0.5}, "step=100"),
    ("v1.2.3 step 100 loss 0.5", {"loss": 0.5}, "step=100"),
    ("host10.example.com 10.0.0.1 step 100 loss 0.5", {"loss": 0.5}, "step=100"),
    ("[pid 1234] step 100 loss 0.5", {"loss": 0.5}, "step=100"),
    ("epoch 1 of 10: loss 0.5", {"loss": 0.5}, "epoch=1 epochs=10"),
    ("Epoch #3 loss=.5 acc=.875", {"loss": 0.5, "acc": 0.875}, "epoch=3"),
    ("Epoch 3 : loss : 0.5 ; accuracy : 0.9", {"loss": 0.5, "accuracy": 0.9}, "epoch=3"),
    ("EPOCH 3 LOSS 0.5 ACC 0.9", {"LOSS": 0.5, "ACC": 0.9}, "epoch=3"),
    ("epoch:3,loss:0.5,acc:0.9,lr:1e-3", {"loss": 0.5, "acc": 0.9, "lr": 0.001}, "epoch=3"),
    ("epoch=3;loss=0.5;acc=0.9", {"loss": 0.5, "acc": 0.9}, "epoch=3"),
    ("loss(train)=0.5 loss(val)=0.6 @ step 3", {"loss(train)": 0.5, "loss(val)": 0.6}, "step=3"),
    ("step 3 loss/train 0.5 loss/val 0.6", {"loss/train": 0.5, "loss/val": 0.6}, "step=3"),
    ("Step 3 => loss 0.5", {"loss": 0.5}, "step=3"),
    ("Step 3 -> loss = 0.5", {"loss": 0.5}, "step=3"),
    ('step 3 "loss" 0.5', {"loss": 0.5}, "step=3"),
    ("step 3, 'loss': 0.5, 'acc': 0.9", {"loss": 0.5, "acc": 0.9}, "step=3"),
    ("dict(step=3, loss=0.5)", {"loss": 0.5}, "step=3"),
    ("Metrics(step=3, loss=0.5, acc=0.9)", {"loss": 0.5, "acc": 0.9}, "step=3"),
    ("loss tensor(0.5321, grad_fn=<NllLossBackward>) step 3", {"loss": 0.5321}, "step=3"),
    ("step 3 loss tensor(0.5321, device='cuda:0')", {"loss": 0.5321}, "step=3"),
    ("step: 3 loss: np.float32(0.5)", {"loss": 0.5}, "step=3"),
    (
        "step 3 loss 0.5 grad_norm 1.2 param_norm 123.4 update_norm 0.01",
        {"loss": 0.5, "grad_norm": 1.2, "update_norm": 0.01},
        "step=3",
    ),
    ("step 3 loss 0.5 skipped 2 retries 3 queue 5 workers 8", {"loss": 0.5}, "step=3"),
    ("step 3 loss 0.5 lr_mult 1.0 wd 0.01 beta1 0.9 momentum 0.9", {"loss": 0.5}, "step=3"),
    ("step 3 acc 87.5% err 12.5%", {"acc": 87.5, "err": 12.5}, "step=3"),
    (
        "iter 3 D_loss: 0.5 G_loss: 0.6 D(x): 0.7 D(G(z)): 0.3",
        {"D_loss": 0.5, "G_loss": 0.6, "D(x)": 0.7, "D(G(z))": 0.3},
        "step=3",
    ),
    (
        "[3/25][100/1583] Loss_D: 0.5 Loss_G: 0.6 D(x): 0.7 D(G(z)): 0.3 / 0.2",
        {"Loss_D": 0.5, "Loss_G": 0.6, "D(x)": 0.7},
        "step=100 total=1583 epoch=3 epochs=25",
    ),
    ("epoch 3 mIoU 0.45 mAP@0.5 0.56 mAP@.5:.95 0.34", {"mIoU": 0.45, "mAP@0.5": 0.56}, "epoch=3"),
    ("Epoch 3 bleu 23.4 rouge-L 0.45 chrF++ 56.7", {"bleu": 23.4, "rouge-L": 0.45}, "epoch=3"),
    (
        "epoch 3 train_loss 0.5 (0.6) val_loss 0.7 *best*",
        {"train_loss": 0.5, "val_loss": 0.7},
        "epoch=3",
    ),
    ("Epoch 3 took 12.3 s, 1234 images/s, loss 0.5", {"images/s": 1234.0, "loss": 0.5}, "epoch=3"),
    ("I1121 11:30:05.123456 12345 train.py:99] step 100, loss 0.5", {"loss": 0.5}, "step=100"),
    ("11-21 11:30:05 I step 100 loss 0.5", {"loss": 0.5}, "step=100"),
    ("<INFO> step 100 loss 0.5", {"loss": 0.5}, "step=100"),
    (
        "[2026/11/21 11:30:05] ppcls INFO: [Train][Epoch 3/10][Iter: 100/600]lr: 0.1, loss: "
        "0.5, batch_cost: 0.1s, ips: 123.4 images/sec, eta: 0:12:34",
        {"lr": 0.1, "loss": 0.5, "ips": 123.4},
        "step=100 total=600 epoch=3 epochs=10",
    ),
    (">>> step 100 loss 0.5", {"loss": 0.5}, "step=100"),
    ("    step 100 loss 0.5", {"loss": 0.5}, "step=100"),
    ("=> Epoch 3 loss 0.5", {"loss": 0.5}, "epoch=3"),
    ("## Epoch 3 loss 0.5", {"loss": 0.5}, "epoch=3"),
    ("total_loss = 0.5, step = 100 (12.3 sec)", {"total_loss": 0.5}, "step=100"),
    ("INFO:tensorflow:loss = 0.5, step = 100 (12.3 sec)", {"loss": 0.5}, "step=100"),
    ("loss: 0.5, acc: 0.9, step: 100", {"loss": 0.5, "acc": 0.9}, "step=100"),
    ("Results @ step 100: loss=0.5", {"loss": 0.5}, "step=100"),
    (
        "Epoch 3: v_loss 4.5e-01  loss 3.5e-01  v_kl 5.8e+00  kl 5.5e+00",
        {"val_loss": 0.45, "loss": 0.35, "val_kl": 5.8, "kl": 5.5},
        "epoch=3",
    ),
    (
        "step 100 pi_loss 0.1 v_loss 0.4 loss 0.5",
        {"pi_loss": 0.1, "v_loss": 0.4, "loss": 0.5},
        "step=100",
    ),
    ("step 100 loss: 0.5, rewards: {'total_num': 256, 'total': 141.0}", {"loss": 0.5}, "step=100"),
    ("Epoch 3 loss: train 0.5, valid 0.6", {"train loss": 0.5, "valid loss": 0.6}, "epoch=3"),
    ("Epoch 3 acc: train 0.8 val 0.7", {"train acc": 0.8, "val acc": 0.7}, "epoch=3"),
    ("Epoch 3: Loss: train=0.5; Acc: train=0.7", {"train Loss": 0.5, "train Acc": 0.7}, "epoch=3"),
    (
        "epoch 3 train/val loss: 0.3417 / 0.6356",
        {"train loss": 0.3417, "val loss": 0.6356},
        "epoch=3",
    ),
    ("Epoch 3: loss (train/val): 0.5/0.6", {"train loss": 0.5, "val loss": 0.6}, "epoch=3"),
    ("Epoch 3 Val loss|acc: 0.5|0.7", {"Val loss": 0.5, "Val acc": 0.7}, "epoch=3"),
    ("train_loss, val_loss 0.5 0.6", {"train_loss": 0.5, "val_loss": 0.6}, ""),
    ("train_loss =  0.512 , test_acc =  0.8", {"train_loss": 0.512, "test_acc": 0.8}, ""),
    (
        "3 Train accuracy: 0.8 Test accuracy: 0.7",
        {"Train accuracy": 0.8, "Test accuracy": 0.7},
        "step=3",
    ),
    ("3 loss 0.5", {"loss": 0.5}, "step=3"),
    ("Epoch: 3, Neg. ELBO: 0.5", {"Neg. ELBO": 0.5}, "epoch=3"),
    ("Loss after 3th epoch = 0.5", {"Loss": 0.5}, "epoch=3"),
    ("Loss after mini-batch   500: 0.5", {"Loss": 0.5}, "step=500"),
    ("Loss after 100 of 6000 iterations: 5.00e-01", {"Loss": 0.5}, "step=100 total=6000"),
    (
        "|   100/  6000 steps |  12.50 tokens/s | loss    0.50",
        {"loss": 0.5, "tokens/s": 12.5},
        "step=100 total=6000",
    ),
    ("  [Training]   loss = 0.5, acc = 0.8", {"loss": 0.5, "acc": 0.8}, ""),
    (
        "Train loss at epoch 3 is 0.5, val loss is 0.6",
        {"Train loss": 0.5, "val loss": 0.6},
        "epoch=3",
    ),
    ("Loss after 100 iterations: 0.5", {"Loss": 0.5}, "step=100"),
    ("Loss (epoch: 3): 0.5", {"Loss": 0.5}, "epoch=3"),
    (
        "train loss (epoch 3) = 0.5, val loss = 0.6",
        {"train loss": 0.5, "val loss": 0.6},
        "epoch=3",
    ),
    (
        "第3轮/共40轮: 训练损失 0.5, 验证损失 0.6, 准确率 80.0%",
        {"训练损失": 0.5, "验证损失": 0.6, "准确率": 80.0},
        "epoch=3 epochs=40",
    ),
    ("训练轮次：3，损失值：0.5，精度：0.8", {"损失值": 0.5, "精度": 0.8}, "epoch=3"),
    ("第3个epoch，平均损失：0.5", {"平均损失": 0.5}, "epoch=3"),
    ("train: {'epoch': 3, 'loss': 0.5, 'lr': 0.1}", {"loss": 0.5, "lr": 0.1}, "epoch=3"),
    (
        "val: {'epoch': 3, 'loss': 0.5, 'acc': 0.8, 'lr': 0}",
        {"eval/loss": 0.5, "eval/acc": 0.8, "lr": 0.0},
        "epoch=3",
    ),
    ("{'step': 3, 'val_loss': 0.5, 'best_val_loss': 0.4}", {"val_loss": 0.5}, "step=3"),
    ("Test results: {'step': 3, 'loss': 0.5}", {"test/loss": 0.5}, "step=3"),
    (
        "{'step': 3, 'loss': Array(0.5, dtype=float32), 'acc': jnp.float32(0.8)}",
        {"loss": 0.5, "acc": 0.8},
        "step=3",
    ),
    (
        "2026-03-04 10:11:12 | INFO     | package.core.trainer:260 - epoch: 3/9, total_loss: 0.5",
        {"total_loss": 0.5},
        "epoch=3 epochs=9",
    ),
    ("Testing Accuracy: 0.8", {"Testing Accuracy": 0.8}, ""),
    ("Epoch Number:  3 , Loss:  0.5 , Batch (t): 0.3", {"Loss": 0.5}, "epoch=3"),
    ("Avg episode reward: [(0, '12.5')]", {"Avg episode reward": 12.5}, ""),
    (
        "120 [D loss: 0.5, acc.: 60.00%] [G loss: 0.9]",
        {"D loss": 0.5, "acc.": 60.0, "G loss": 0.9},
        "step=120",
    ),
    (
        "step#: 150   learning rate: 0.01   average loss: 0.5    steps without progress: 9",
        {"learning rate": 0.01, "average loss": 0.5},
        "step=150",
    ),
    ("Step    100: train CrossEntropyLoss |  0.5", {"train CrossEntropyLoss": 0.5}, "step=100"),
    ("Step    100: eval  Accuracy |  0.5", {"eval/Accuracy": 0.5}, "step=100"),
    (
        "step 100 | loss: 9.1 | tok/sec: 1,046,012 | mfu: 48.1",
        {"loss": 9.1, "tok/sec": 1046012.0, "mfu": 48.1},
        "step=100",
    ),
    ("Valid HITS@10 at step 100: 0.84", {"Valid HITS@10": 0.84}, "step=100"),
    ("\t # psnr: 30.1\tBest: 30.2 @ 1000 iter", {"eval/psnr": 30.1}, ""),
    (
        " * Finished epoch # 3     top1:  60.1  top5:  30.2",
        {"eval/top1": 60.1, "eval/top5": 30.2},
        "epoch=3",
    ),
    (
        "epoch 3, batch 50, loss[loss=0.5, ctc=0.4], tot_loss[loss=0.6, ctc=0.7]",
        {"loss": 0.5, "ctc": 0.4, "tot_loss/loss": 0.6, "tot_loss/ctc": 0.7},
        "step=50 epoch=3",
    ),
]

OTHERS = [
    "  eval_rewards/margins    =     0.7",
    "  eval_rewards/accuracies =     0.7",
    "  max_loss: 5.0",
    "  warmup_loss: 10.0",
    "best val loss: 0.5",
    "│ val_loss                       0.41349 │",
    "epoch 3 train_loss: 0,4321 val_loss: 0,5321",
    "Validation loss decreased (0.5400 --> 0.5321).  Saving model ...",
    "EarlyStopping counter: 3 out of 10",
    "Best val loss so far: 0.5321 at epoch 3",
    "Loading checkpoint from /data/run/step_1000_loss_0.5.pt",
    "Using torch 2.13.0, CUDA 12.4, driver 550.54.15",
    "Model has 124,439,808 parameters (0.12 B)",
    "Dataset: 50000 train, 10000 val, 10000 test samples",
    "Server listening on 192.168.1.12:6006, loss dashboard at http://10.0.0.5:8080/loss/0.5",
    "warning: loss scale reduced to 32768.0 at step 100",
    "UserWarning: loss is 0.5 but expected 0.4",
    "Saved checkpoint ckpt_epoch3_loss0.4321.pt (1.2 GB) in 3.4s",
    "Early stopping at epoch 30: no improvement in val loss for 10 epochs",
    "lr: 3e-4, batch size: 64, epochs: 100, loss: cross_entropy, weight decay: 0.01",
    "args: lr=0.0003, loss_weight=0.5, max_loss=10.0",
    "Epoch 3 learning rate changed from 0.001 to 0.0005",
    "disk: 120.5 GB free, mem: 61.2/80.0 GiB, GPU 0: 98%, 67 C, 612 W",
    "[12/100] train 800 | val 200",
    "Epoch 3 time: train 12.3 val 1.2",
    "Epoch 3: train 12.3s val 1.2s",
    "split: train 0.8 val 0.1 test 0.1",
    "Epoch 3 time/mem: 0.5/0.6",
    "INFO:tensorflow:  loss = 0.7218847",
    "Epoch 3 acc train 0.8 val 0.7",
    "Epoch 3 loss: 0.3417/0.6356",
    "Epoch 3: train 87.5% val 85.0%",
    "Epoch 3 expected loss of 0.5",
    "epoch 3 * val_loss improved from 0.7 to 0.6",
    "Epoch 00003: val_loss improved from 0.70000 to 0.60000, saving model to ckpt.h5",
    "INFO:tensorflow:global_step/sec: 12.3",
    "image_size=224 epochs=20 batch=32 margin=0.5",
    "2026-03-04 10:00:00 Position 3: entry 65000.12 stop_loss=64000.00 close=67000.0",
    "step 3: 941 Mbits/sec, loss: 0.02%",
    "model=resnet18 lr=0.001 batch: 64 accuracy_target=0.9",
]


@pytest.mark.parametrize(("line", "metrics", "place"), RECORDS, ids=[line for line, *_ in RECORDS])
def test_a_record_gives_its_metrics_and_its_place(
    line: str, metrics: dict[str, float], place: str
) -> None:
    told = explain_line(line)
    assert dict(told.metrics) == pytest.approx(metrics, nan_ok=True)
    said = [(name, text) for name, text in told.position if name not in ("time", "rank")]
    assert " ".join(f"{name}={text}" for name, text in said) == place


@pytest.mark.parametrize("line", OTHERS)
def test_what_is_no_record_gives_no_metric(line: str) -> None:
    assert explain_line(line).metrics == ()


def loss(epoch: int, step: int = 0) -> str:
    return f"{2 / (epoch + step / 100 + 1):.4f}"


HEADED = [
    line
    for epoch in (1, 2, 3)
    for line in (
        f"=== Epoch {epoch}/3 ===",
        *(f"  step {step}/50 loss={loss(epoch, step)} eta=0:{step:02}" for step in (10, 30, 50)),
        f"  val: loss={loss(epoch)} acc=51.0%",
    )
]
FOOTED = [
    line
    for epoch in (1, 2, 3)
    for line in (
        *(f"step {step} loss={loss(epoch, step)}" for step in (0, 10, 20)),
        f"epoch {epoch} finished: val_loss={loss(epoch)}",
    )
]
TUTORIAL = [
    line
    for epoch in (1, 2)
    for line in (
        f"Epoch {epoch}",
        "-------------------------------",
        *(f"loss: {loss(epoch, b)}  [{b * 6400 + 64:>5}/60000]" for b in (0, 4, 9)),
        "Test Error: ",
        f" Accuracy: 5{epoch}.3%, Avg loss: {loss(epoch)} ",
        "",
    )
]
MINIBATCHES = [
    f"[{epoch}, {step:5}] loss: {loss(epoch, step // 100)}"
    for epoch in (1, 2, 3)
    for step in (2000, 4000, 6000)
]
GLOBAL = [
    line
    for epoch in (1, 2, 3)
    for line in (
        f"Epoch {epoch}",
        *(f"step {step} loss {loss(0, step)}" for step in range(epoch * 100, epoch * 100 + 99, 50)),
    )
]
PADDED = [
    line
    for step in range(0, 60, 10)
    for line in (
        f"[{step:06}] training loss = {loss(1, step)}, lr = 0.00030, 123 ms/step",
        f"[{step:06}] validation loss = {loss(0, step)} (best so far 0.3, patience 3/10)",
    )
]
PAIRS = [f"[{i}/100] train {loss(i)} | val {loss(i + 1)}" for i in range(1, 6)]
BLOCKS = [
    line
    for i in range(0, 50, 10)
    for line in (f"iteration: {i}", f"  train loss: {loss(i)}", f"  valid loss: {loss(i)}", "")
]
SAMPLED = [
    line
    for step in range(1, 6)
    for line in (
        "**Step 1: Add the apples**",
        "### Step 2: Multiply by the price",
        "Step 3: Write down the answer",
        f"policy_loss: {loss(step)}",
        f"Step: {step} | Loss: {loss(step)} | KL: 0.01",
    )
]
RULED = [
    "+-------+------------+----------+----------+",
    "| epoch | train_loss | val_loss | accuracy |",
    "+-------+------------+----------+----------+",
    *(f"| {i:5} | {loss(i):>10} | {loss(i):>8} | {50 + i:7.2f}% |" for i in range(1, 6)),
]
EVALUATED = [
    "Evaluation:",
    "step 0, loss 3.5",
    *(
        line
        for step in range(1, 41)
        for line in (
            f"step {step}, loss {1 / step:g}",
            *(["", "Evaluation:", f"step {step}, loss {2 / step:g}", ""] * (step % 10 == 0)),
        )
    ),
]
SPACED = ["   iter      loss        lr   val_loss"] + [
    f"{i:7} {loss(i):>9} {1e-3:9.2e} {loss(i):>10}" for i in range(0, 50, 10)
]
INDENTED = [
    line
    for epoch in (1, 2, 3)
    for line in (
        "2026-03-04 10:11:12 INFO metrics: {",
        f'  "epoch": {epoch},',
        '  "train": {',
        f'    "loss": {loss(epoch)},',
        '    "per_class": [',
        "      0.5,",
        "      0.6",
        "    ]",
        "  },",
        f'  "val_loss": {loss(epoch)}',
        "}",
        '{"epochs": 9,',
        ' "loss_coef": 0.5,',
        ' "lr": 0.1}',
    )
]
PRETTY = [
    line
    for epoch in (1, 2, 3)
    for line in (
        f"Epoch {epoch}",
        f"{{'train_loss': {loss(epoch)},",
        f" 'val_loss': {loss(epoch)}}}",
    )
]
TWO_LINES = [
    "|  Epoch  |  Iteration  |  Time Elapsed  |  Mini-batch  |  Validation  |  Base Learning  |",
    "|         |             |   (hh:mm:ss)   |     Loss     |     Loss     |      Rate       |",
    "|=========================================================================================|",
] + [
    f"| {1 + i // 20:7} | {i:11} | {f'00:00:{i:02}':>14} | {loss(i):>12} "
    f"| {loss(i) if i % 20 == 0 else '':>12} | {0.01:15.4f} |"
    for i in range(10, 51, 10)
]
VECTORS = ["Step      Train loss              Test loss               Test metric   "] + [
    f"{i:<10}[{loss(i)}, 1.00e-01]      [{loss(i)}, 2.00e-01]      [3.00e-01]    "
    for i in range(0, 50, 10)
]
ADJACENT = [
    "precision: 0.5",
    *(
        line
        for epoch in (1, 2, 3)
        for line in (
            f"epoch {epoch} training [train loss: {loss(epoch)}]",
            "valid result:",
            f"recall@10 : {loss(epoch)}    mrr@10 : 0.50",
            f"- Val Dice: {loss(epoch)}",
        )
    ),
]
DEVIANCE = ["Iter   TrainDeviance   ValidDeviance   StepSize   Improve"] + [
    f"{i:6} {loss(i):>13} {loss(i):>15} {0.1:10.4f} {0.02:9.4f}" for i in range(1, 6)
]
COMMENTED = ["#  step      rmse_val    rmse_trn         lr"] + [
    f"{i:7}    {loss(i):>8}    {loss(i):>8}    1.0e-03" for i in range(0, 50, 10)
]
ENDLESS = [
    line
    for epoch in range(3)
    for line in (
        *(f"Epoch {epoch}: {i}it [00:0{i}, 2.1it/s, loss={loss(epoch, i)}]" for i in (1, 2, 3)),
        f"Epoch {epoch}: val_loss {loss(epoch)}",
    )
]
PARTS = [
    f"\rEpoch {i / 10:.2f}, Loss: {loss(0, i)}: {i}0%|#| {i}/10 [00:0{i}<00:09, 1.05s/it]"
    for i in range(1, 11)
]
OVERRUN = [
    line
    for epoch in (1, 2)
    for line in (
        f"Epoch #{epoch}: 50%|5| 5/10 [00:01<00:01, 5.1it/s, loss={loss(epoch)}]",
        f"Epoch #{epoch}: 11it [00:02, 5.1it/s, loss={loss(epoch, 5)}]",
        f"Epoch #{epoch}: test_reward: {epoch}.500000 ± 0.1, best_reward: 9.500000 ± 0.2 in #1",
    )
]
PROCESSES = [
    f"2026-03-04 10:11:{epoch:02},123 INFO [train.py:898] ({rank}/2) Epoch {epoch}, {said}"
    for epoch in (1, 2)
    for said in (
        *(f"batch {b}, loss={loss(epoch, b)}" for b in (0, 50)),
        f"validation: loss={loss(epoch)}",
    )
    for rank in (0, 1)
]
UNPLACED = [
    f"{split} ({epoch}/3) loss: {loss(epoch)} | lr: 0.1"
    for epoch in (1, 2, 3)
    for split in ("train", "valid")
]
LOGGED = [f"2026-03-04 10:11:12,123 - INFO - [TRAIN] {row}" for row in SPACED]


@pytest.mark.parametrize(
    ("lines", "train", "held_out"),
    [
        pytest.param(
            HEADED,
            ("loss", [10, 30, 50, 60, 80, 100, 110, 130, 150]),
            ("eval/loss", [50, 100, 150]),
            id="steps that begin anew below a heading",
        ),
        pytest.param(
            FOOTED,
            ("loss", [0, 10, 20, 30, 40, 50, 60, 70, 80]),
            ("val_loss", [20, 50, 80]),
            id="steps that begin anew above a closing line",
        ),
        pytest.param(
            TUTORIAL,
            ("loss", [64, 25664, 57664, 60064, 85664, 117664]),
            ("test/Avg loss", [57664, 117664]),
            id="PyTorch's quickstart",
        ),
        pytest.param(
            MINIBATCHES, ("loss", list(range(2000, 18001, 2000))), None, id="PyTorch's CIFAR10"
        ),
        pytest.param(
            GLOBAL, ("loss", [100, 150, 200, 250, 300, 350]), None, id="steps of the whole run"
        ),
        pytest.param(
            PADDED,
            ("training loss", [0, 10, 20, 30, 40, 50]),
            ("validation loss", [0, 10, 20, 30, 40, 50]),
            id="padded steps",
        ),
        pytest.param(PAIRS, ("train", [1, 2, 3, 4, 5]), ("val", [1, 2, 3, 4, 5]), id="pairs"),
        pytest.param(
            BLOCKS,
            ("train loss", [0, 10, 20, 30, 40]),
            ("valid loss", [0, 10, 20, 30, 40]),
            id="a line each",
        ),
        pytest.param(
            SAMPLED, ("policy_loss", [0, 1, 2, 3, 4]), None, id="answers with steps of their own"
        ),
        pytest.param(
            RULED, ("train_loss", [1, 2, 3, 4, 5]), ("val_loss", [1, 2, 3, 4, 5]), id="ruled"
        ),
        pytest.param(
            EVALUATED,
            ("loss", list(range(41))),
            ("eval/loss", [10, 20, 30, 40]),
            id="an evaluation headed by a word",
        ),
        pytest.param(
            INDENTED, ("train/loss", [1, 2, 3]), ("val_loss", [1, 2, 3]), id="indented JSON"
        ),
        pytest.param(PRETTY, ("train_loss", [1, 2, 3]), ("val_loss", [1, 2, 3]), id="pretty"),
        pytest.param(
            TWO_LINES,
            ("Mini-batch Loss", [10, 20, 30, 40, 50]),
            ("Validation Loss", [20, 40]),
            id="a head of two lines",
        ),
        pytest.param(
            VECTORS,
            ("Train loss_0", [0, 10, 20, 30, 40]),
            ("Test loss_1", [0, 10, 20, 30, 40]),
            id="several losses in a cell",
        ),
        pytest.param(
            ADJACENT, ("train loss", [1, 2, 3]), ("eval/recall@10", [1, 2, 3]), id="values alone"
        ),
        pytest.param(
            DEVIANCE,
            ("TrainDeviance", [1, 2, 3, 4, 5]),
            ("ValidDeviance", [1, 2, 3, 4, 5]),
            id="deviance",
        ),
        pytest.param(
            COMMENTED,
            ("rmse_trn", [0, 10, 20, 30, 40]),
            ("rmse_val", [0, 10, 20, 30, 40]),
            id="a head behind a sign of comments",
        ),
        pytest.param(
            ENDLESS,
            ("loss", [1, 2, 3, 4, 5, 6, 7, 8, 9]),
            ("val_loss", [3, 6, 9]),
            id="bars that do not know the end of an epoch",
        ),
        pytest.param(PARTS, ("Loss", list(range(1, 11))), None, id="parts of an epoch in a bar"),
        pytest.param(
            OVERRUN, ("loss", [5, 10, 15, 20]), ("test_reward", [10, 20]), id="bars past their end"
        ),
        pytest.param(
            PROCESSES, ("loss", [0, 50, 100, 150]), ("eval/loss", [50, 150]), id="processes"
        ),
        pytest.param(UNPLACED, ("loss", [1, 2, 3]), ("eval/loss", [1, 2, 3]), id="unplaced"),
        pytest.param(
            LOGGED, ("loss", [0, 10, 20, 30, 40]), ("val_loss", [0, 10, 20, 30, 40]), id="logged"
        ),
        pytest.param(
            SPACED, ("loss", [0, 10, 20, 30, 40]), ("val_loss", [0, 10, 20, 30, 40]), id="spaced"
        ),
    ],
)
def test_a_script_of_ones_own_is_read_whole(
    tmp_path: Path,
    lines: list[str],
    train: tuple[str, list[int]],
    held_out: tuple[str, list[int]] | None,
) -> None:
    path = tmp_path / "train.log"
    content = "\n".join(lines) + "\n"
    path.write_text(content)
    whole = read_whole(TextReader(path))
    for tag, steps in filter(None, (train, held_out)):
        assert [step for step, _ in whole.values(tag)] == steps
    for cut in range(1, len(content), 7):
        grown = read_growing(path, content.encode(), [cut], TextReader)
        assert (grown.series, grown.orders) == (whole.series, whole.orders), cut


def test_values_alone_are_metrics_only_close_below_a_line_with_a_place(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    far = "".join(f"note {i}\n" for i in range(NEAR + 1))
    log.write_text(f"psnr: 1.5\nstep 1 loss 0.5\npsnr: 2.5\n{far}psnr: 3.5\nmae_mask_ratio: 0.5\n")
    found = read_whole(TextReader(log))
    assert found.values("psnr") == [(1, 2.5)]
    assert len(found.series) == 2


def test_an_evaluation_of_averaged_batches_counts_with_its_mean(tmp_path: Path) -> None:
    rounds = [
        f"Epoch: [{epoch}][ 50/100]\tTime 0.2 (0.3)\tLoss {5 - epoch:.4f} (6.5000)\n"
        f"Test: [ 0/79]\tTime 0.5 (0.5)\tLoss 3.1000 (3.1000)\tAcc@1 20.00 (20.00)\n"
        f"Test: [50/79]\tTime 0.5 (0.5)\tLoss 3.9000 ({3 - epoch:.4f})\tAcc@1 18.00 (19.00)\n"
        f" *   Acc@1 {20 + epoch}.100 Acc@5 45.000\n"
        for epoch in range(2)
    ]
    log = tmp_path / "train.log"
    log.write_text("".join(rounds))
    found = read_whole(TextReader(log))
    assert [value for _, value in found.values("Loss")] == [5.0, 4.0]
    assert [value for _, value in found.values("test/Loss")] == [3.0, 2.0]
    assert [value for _, value in found.values("eval/Acc@1")] == [20.1, 21.1]
    assert "test/Acc@1" not in found.series
