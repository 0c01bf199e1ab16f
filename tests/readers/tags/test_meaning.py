"""Every spelling that frameworks use, and those that only look like one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossmon.readers.tags.meaning import meaning
from lossmon.types import JUST_SHOWN, Kind, Split

SAME_QUANTITY = {
    "train/loss": """
        loss | train_loss | train loss | training_loss | train/loss | Loss | Train Loss |
        train_loss_step | reduced_train_loss | epoch_loss | trl | Loss/train | loss/train |
        Train/Samples/train_loss | trainLoss | trainloss | train.loss | training loss |
        TRAIN_LOSS | ray/tune/loss | metrics/train/loss | learn | lossTrain | 训练损失 |
        Train Epoch Loss | TrLoss | trnloss
    """,
    "eval/loss": """
        eval_loss | eval/loss | val_loss | val/loss | validation_loss | valid_loss |
        valid loss | val loss | Loss/val | valLoss | valloss | dev_loss | dev loss |
        holdout_loss | val_loss_epoch | eval.loss | Validation Loss | ray/tune/val_loss |
        loss/eval | cv_loss | metrics/eval/loss | 验证损失 | loss_val | valid/mean_loss |
        VaLoss | vld_loss | validating_loss
    """,
    "test/loss": """
        test_loss | test/loss | Loss/test | test loss | Test Loss | eval/test_loss | test |
        tsloss | TeLoss
    """,
    "train/total_loss": "total_loss | loss/train/total | train/total_loss | Loss/total_loss",
    "eval/total_loss": "val/total_loss | loss/eval/total",
    "train/lm_loss": "lm loss | lm_loss | train/lm_loss | lm-loss-training/lm loss",
    "eval/lm_loss": "lm loss value validation | validation lm loss value | eval/lm_loss",
    "train/logloss": """
        train-logloss | training's binary_logloss | train/Logloss | train_log_loss
    """,
    "eval/logloss": "eval-logloss | valid's binary_logloss | validation-logloss",
    "learning_rate": """
        lr | learning_rate | learning rate | train/learning_rate | lr-AdamW | lr/pg0 |
        optim/LR | epoch_learning_rate | LR | actor/lr | params/lr | train/lr |
        Learning Rate | lr0 | lr-Adam | learningRate | optim/learning_rate_group_0 |
        Train/Samples/lr | 学习率 | lr-SGD | charts/learning_rate | lr_0 | lr-FusedAdam
    """,
    "grad_norm": """
        grad_norm | train/grad_norm | grad norm | gnorm | norm | gradient_norm |
        optim/total grad norm | actor/grad_norm | total_norm | grad_2.0_norm_total |
        gradNorm | Gradient Norm | global_grad_norm | grads/total_norm
    """,
    "epoch": "epoch | train/epoch | Epoch | ep | current_epoch | ray/tune/epoch | eval/epoch",
    "step": """
        step | global_step | train/global_step | trainer/global_step | current_steps | iter |
        iteration | num_updates | _step | training_iteration | time/total_timesteps
    """,
    "tokens": """
        total_tokens | num_input_tokens_seen | train/num_input_tokens_seen | tokens/total |
        consumed tokens | throughput/total_tokens | tokens_seen
    """,
    "samples": "consumed samples | consumed_samples | samples_seen",
    "tokens_per_second": """
        tokens_per_second | train_tokens_per_second | tok/s | tokens/s | wps |
        train/train_tokens_per_second | tokens_per_sec
    """,
    "tokens_per_second_per_gpu": "tokens_per_second_per_gpu | tgs | perf/throughput",
    "samples_per_second": """
        samples/s | samples/sec | samples per second | ips | CurrSamplesPerSec | images/s
    """,
    "steps_per_second": "it/s | steps/s | steps_per_second | ups",
    "fps": "fps | time/fps",
    "tflops_per_gpu": "throughput per GPU (TFLOP/s/GPU)",
    "step_time": "step_time | batch_cost | s/it | iter_time",
    "step_time_ms": "elapsed time per iteration (ms) | ms/batch | step_avg",
    "train/perplexity": "ppl | perplexity | train/ppl | train/perplexity | train_ppl",
    "eval/perplexity": """
        eval_ppl | val ppl | eval/perplexity | eval_perplexity | eval/LanguagePerplexity
    """,
    "train/accuracy": """
        accuracy | acc | train_acc | train/accuracy | train acc | Accuracy/train |
        epoch_accuracy
    """,
    "eval/accuracy": """
        eval_accuracy | val_acc | val/acc | Val Acc | valAcc | valacc | Accuracy/val
    """,
    "test/accuracy": "test_acc | Test Accuracy | test/acc",
    "train/token_accuracy": "mean_token_accuracy | train/mean_token_accuracy",
    "eval/token_accuracy": "eval_mean_token_accuracy | eval/mean_token_accuracy",
    "train/reward_accuracy": "rewards/accuracies | train/rewards/accuracies",
    "eval/reward_accuracy": "eval_rewards/accuracies | eval/rewards/accuracies",
    "train/top1": "Acc@1 | top1 | train/top1 | prec@1",
    "eval/top1": "eval_top1 | val/Acc@1 | val_acc1",
    "train/reward": "reward | train/reward | mean_reward",
    "train/episode_reward": "rollout/ep_rew_mean | env_runners/episode_reward_mean",
    "train/kl": "kl | objective/kl | train/kl",
    "train/approx_kl": "approx_kl | ppo_kl | train/approx_kl | actor/ppo_kl",
    "eval/map50": "metrics/mAP50(B) | mAP50",
    "total_flos": "total_flos | train/total_flos",
    "train_runtime": "train_runtime | train/train_runtime",
}


def spellings(text: str) -> list[str]:
    return [" ".join(spelling.split()) for spelling in text.split("|")]


@pytest.mark.parametrize(
    ("tag", "key"), [(tag, key) for key, text in SAME_QUANTITY.items() for tag in spellings(text)]
)
def test_spellings_of_one_quantity_share_a_key(tag: str, key: str) -> None:
    assert meaning(tag).key == key


KINDS = {
    Kind.LOSS: """
        loss | val_loss | box_loss | loss_cls | train/value_loss | nll_loss | Loss_D |
        g_loss | actor/pg_loss | train/CE loss | kl_loss | train-rmse | valid_1's l2 |
        total_loss | lm loss | loss_rpn_cls | train/policy_gradient_loss | val/dfl_loss |
        logloss | batch_loss | d_loss | eval/easy_loss | val_loss/dataloader_idx_1 |
        aux_loss | cross_entropy | learn | losses/vf
    """,
    Kind.METRIC: """
        accuracy | val_f1 | eval/rouge1 | wer | bbox/AP | mAP50-95 | perplexity | rmse | mae |
        psnr | rewards/margins | reward | kl | entropy | eval_bleu | auc | train-auc | IoU |
        explained_variance | win_rate_score | rewards/format_reward_func/mean |
        critic/score/mean
    """,
    Kind.LEARNING_RATE: """
        lr | lr-AdamW/pg2 | lr/pg1 | critic/lr | learning_rate_encoder | lr-Adam-1
    """,
    Kind.GRAD_NORM: """
        grad_norm | grad_norm_encoder | critic/grad_norm | grad_2.0_norm/head.bias
    """,
    Kind.THROUGHPUT: """
        tok/s | step_time | mfu | throughput | perf/images_per_sec | rollout_tokens_per_sec
    """,
    Kind.OTHER: """
        router_aux_loss_coef | loss_scale | loss scale | max_grad_norm | rms_norm_eps |
        loss_weight | lr_scheduler | warmup_lr | lr_decay | best_val_loss | loss_fn | min_lr |
        loss_std | params norm | num zeros | weight_decay | momentum | mom | seed | rank |
        port | version | v_num | data_time | betas | eps | num_parameters | hp_metric |
        memory | max_mem | vram_allocated | foo | gpu.0.memoryAllocated |
        __swanlab__.gpu.0.mem.pct | system/cpu | _timestamp | _runtime | eta | elapsed_time |
        eval_runtime | eval_samples_per_second | eval/steps_per_second | remaining_time |
        time_this_iter_s | glossary | floss | batch size | skipped | time | percentage |
        clip_fraction | completions/mean_length | epoch | step | total_flos |
        number of nan iterations | hparam/eval_loss | score_threshold | gloss
    """,
}


@pytest.mark.parametrize(
    ("tag", "kind"), [(tag, kind) for kind, text in KINDS.items() for tag in spellings(text)]
)
def test_the_kind_is_told_by_the_name(tag: str, kind: Kind) -> None:
    assert meaning(tag).kind is kind


@pytest.mark.parametrize(
    ("tag", "lower"),
    [
        ("loss", True), ("val_accuracy", False), ("wer", True), ("eval/cer", True), ("bpb", True),
        ("eval_bleu", False), ("bbox/AP", False), ("val_f1", False), ("rmse", True), ("auc", False),
        ("rewards/margins", False), ("perplexity", True), ("kl", None), ("entropy", None),
        ("rewards/rejected", None), ("reward_std", None), ("foo", None), ("rewards/f/std", None),
        ("tok/s", False), ("step_time", True), ("learning_rate", None), ("grad_norm", None),
        ("lpips", True), ("val/psnr", False), ("explained_variance", False), ("mfu", False),
        ("reward", False), ("val/r2", False), ("top5", False), ("rewards/accuracies", False),
        ("mAP50", False), ("mean_token_accuracy", False), ("eval_error_rate", True),
    ],
)  # fmt: skip
def test_the_good_direction_is_known_by_name(tag: str, lower: bool | None) -> None:
    assert meaning(tag).lower_is_better is lower


@pytest.mark.parametrize(
    ("tag", "key", "part"),
    [
        ("eval/easy_loss", "eval/easy_loss", "easy"),
        ("eval_hard_loss", "eval/hard_loss", "hard"),
        ("eval/easy_accuracy", "eval/easy_accuracy", "easy"),
        ("train/box_loss", "train/box_loss", "box"),
        ("loss_rpn_cls", "train/loss_rpn_cls", "rpn cls"),
        ("val/dfl_loss", "eval/dfl_loss", "dfl"),
        ("valid_1's binary_logloss", "eval/1_logloss", "1"),
        ("validation_0-logloss", "eval/0_logloss", "0"),
        ("val_loss/dataloader_idx_1", "eval/1_loss", "1"),
        ("test_loss", "test/loss", "test"),
        ("lr/pg1", "learning_rate/pg1", "pg1"),
        ("lr-AdamW/pg2", "learning_rate/adamw_pg2", "adamw pg2"),
        ("critic/grad_norm", "grad_norm/critic", "critic"),
    ],
)
def test_parts_keep_a_key_of_their_own(tag: str, key: str, part: str) -> None:
    found = meaning(tag)
    assert (found.key, found.part) == (key, part)


@pytest.mark.parametrize(
    "tag",
    [
        "eval_loss",
        "val/acc",
        "test_loss",
        "dev_f1",
        "bbox/AP",
        "metrics/recall(B)",
        "holdout_mse",
        "Vali Loss",
    ],
)
def test_held_out_data_is_the_eval_split(tag: str) -> None:
    assert meaning(tag).split is Split.EVAL


@pytest.mark.parametrize(
    ("tag", "source", "summary"),
    [
        ("train/train_loss", "tensorboard", True),
        ("train_loss", "hf_trainer", True),
        ("train_loss", "llamafactory", True),
        ("single_value/train_loss", "swanlab", True),
        ("train_loss", "csv", False),
        ("train_loss", "jsonl", False),
        ("train_loss", "text", False),
        ("train_loss", "lightning", False),
        ("train_loss", "tensorboard", False),
        ("train_runtime", "hf_trainer", True),
        ("total_flos", "hf_trainer", True),
        ("train_samples_per_second", "hf_trainer", True),
        ("train/train_steps_per_second", "tensorboard", True),
        ("train_samples_per_second", "csv", False),
        ("train_tokens_per_second", "hf_trainer", False),
        ("hp_metric", "tensorboard", True),
        ("eval_runtime", "hf_trainer", False),
    ],
)
def test_the_closing_summary_is_no_point_of_a_curve(tag: str, source: str, summary: bool) -> None:
    found = meaning(tag, source=source)
    assert found.summary is summary
    assert (found.key == "train/loss") is (tag == "train_loss" and not summary)


@pytest.mark.parametrize(
    ("tag", "secondary", "key"),
    [
        ("train_loss_step", False, "train/loss"),
        ("train_loss_epoch", True, "train/loss_epoch"),
        ("val_loss_epoch", False, "eval/loss"),
        ("val_loss_step", True, "eval/loss_step"),
        ("train_acc_epoch", True, "train/accuracy_epoch"),
        ("train/box_loss_epoch", True, "train/box_loss_epoch"),
        ("batch_loss", True, "train/batch_loss"),
        ("evaluation_loss_vs_iterations", True, "eval/loss_vs_iterations"),
        ("smoothed_loss", True, "train/smoothed_loss"),
        ("avg_loss", True, "train/loss_mean"),
        ("accuracy_vs_iterations", True, "train/accuracy_vs_iterations"),
        ("nll", True, "train/nll"),
        ("val_avg_loss", False, "eval/loss"),
    ],
)
def test_means_step_back_behind_the_raw_series(tag: str, secondary: bool, key: str) -> None:
    found = meaning(tag)
    assert (found.secondary, found.key) == (secondary, key)


def test_a_sub_run_names_the_split_of_tags_that_do_not() -> None:
    assert meaning("epoch_loss", scope="validation").key == "eval/loss"
    assert meaning("epoch_loss", scope="train").key == "train/loss"
    assert meaning("Logloss", scope="test").key == "test/logloss"
    assert meaning("val_loss", scope="train").key == "eval/loss"


def test_a_split_alone_is_a_loss_but_yields_to_one_that_says_so() -> None:
    assert meaning("test", source="csv").key == "test/loss"
    assert meaning("test", source="text").secondary
    assert meaning("eval", source="text").kind is Kind.METRIC


def test_another_rank_repeats_what_the_first_one_says() -> None:
    other = meaning("train/loss", scope="rank1")
    assert other.secondary
    assert (other.key, other.label) == ("train/loss@rank1", "train loss (rank1)")


def test_the_user_has_the_last_word() -> None:
    overrides = {"train_loss": "my/loss", "eval_accuracy": "q"}
    assert meaning("my/loss", overrides=overrides).key == "train/loss"
    assert meaning("q", overrides=overrides).key == "eval/accuracy"
    assert meaning("val_loss", overrides=overrides).key == "eval/loss"


def test_a_tag_that_the_user_passed_over_makes_room() -> None:
    passed_over = meaning("loss", overrides={"train_loss": "my/loss"})
    assert passed_over.secondary
    assert passed_over.key != "train/loss"


@pytest.mark.parametrize(
    ("tag", "key"),
    [
        ("main/loss", "train/loss"),
        ("validation/main/loss", "eval/loss"),
        ("main/accuracy", "train/accuracy"),
        ("TRAIN_LOSS", "train/loss"),
        ("DEV_LOSS", "eval/loss"),
        ("training_loss", "train/loss"),
        ("training_accuracy", "train/accuracy"),
        ("num_updates", "step"),
    ],
)
def test_chainer_flair_allennlp_and_fairseq_are_understood(tag: str, key: str) -> None:
    assert meaning(tag).key == key


@pytest.mark.parametrize(
    ("tag", "label"),
    [
        ("loss", "train loss"),
        ("eval_accuracy", "eval accuracy"),
        ("eval/easy_loss", "eval easy loss"),
        ("lr", "learning rate"),
        ("grad_norm", "gradient norm"),
        ("train_loss_epoch", "train loss (per epoch)"),
        ("test/acc", "test accuracy"),
        ("my_own/thing", "my own thing"),
        ("val/my_own", "eval my own"),
        ("test/my_own", "test my own"),
    ],
)
def test_labels_are_plain_words(tag: str, label: str) -> None:
    assert meaning(tag).label == label


@pytest.mark.parametrize(
    ("tag", "key", "label"),
    [
        ("metrics/mAP50(B)", "eval/map50", "eval mAP50"),
        ("metrics/mAP50(M)", "eval/mask_map50", "eval mask mAP50"),
        ("metrics/mAP50-95(P)", "eval/pose_map50_95", "eval pose mAP50-95"),
        ("metrics/recall(M)", "eval/mask_recall_b", "eval mask recall"),
    ],
)
def test_each_head_of_an_ultralytics_model_is_named(tag: str, key: str, label: str) -> None:
    known = meaning(tag)
    assert (known.key, known.label, known.lower_is_better) == (key, label, False)


@given(st.text(max_size=60), st.sampled_from(["", "train", "validation", "rank3"]))
def test_any_text_has_a_meaning_that_can_be_printed(tag: str, scope: str) -> None:
    found = meaning(tag, scope=scope)
    assert found.label.isprintable()


def test_of_what_a_booster_prints_the_share_of_wrong_answers_steps_back() -> None:
    counted, minimised = meaning("train-error", source="text"), meaning("train-logloss")
    assert (counted.kind, counted.secondary) == (Kind.LOSS, True)
    assert (minimised.kind, minimised.secondary) == (Kind.LOSS, False)


@pytest.mark.parametrize(
    ("tag", "unit"),
    [
        ("it/s", "steps/s"),
        ("batches/s", "batches/s"),
        ("tok/s", "tok/s"),
        ("images/s", "samples/s"),
    ],
)
def test_a_rate_has_its_unit(tag: str, unit: str) -> None:
    assert meaning(tag).unit == unit


def test_a_metric_that_a_booster_minimises_is_its_loss() -> None:
    assert meaning("rmse").kind is Kind.METRIC
    boosted = meaning("RMSE", scope="test", source="catboost")
    assert (boosted.kind, boosted.lower_is_better, boosted.secondary) == (Kind.LOSS, True, False)
    assert meaning("AUC", scope="test", source="catboost").kind is Kind.METRIC


def test_the_first_eval_set_of_a_booster_may_be_its_train_set() -> None:
    assert meaning("train/validation_0-logloss").key == "train/logloss"
    assert meaning("train/validation_1-logloss").split is Split.EVAL


def test_a_metric_of_a_detector_is_measured_on_held_out_data() -> None:
    assert meaning("ap_person").key == "eval/ap_person"
    assert meaning("train/ap_person").key == "train/ap_person"
    assert meaning("precision_person").split is Split.TRAIN


@pytest.mark.parametrize("chosen", ["validation/q", ["other", "q"]])
def test_the_user_names_a_tag_with_its_scope_or_without(chosen: str | list[str]) -> None:
    found = meaning("q", scope="validation", overrides={"eval_accuracy": chosen})
    assert found.key == "eval/accuracy"


@pytest.mark.parametrize(
    ("word", "key", "kind", "lower"),
    [
        ("eval_higher_is_better", "eval/loss (metric)", Kind.METRIC, False),
        ("train_lower_is_better", "train/loss (metric)", Kind.METRIC, True),
        (JUST_SHOWN, "train/loss (shown)", Kind.OTHER, None),
    ],
)
def test_the_user_says_of_what_sort_a_series_is(
    word: str, key: str, kind: Kind, lower: bool | None
) -> None:
    found = meaning("loss", overrides={word: "loss"})
    assert (found.key, found.kind, found.lower_is_better) == (key, kind, lower)
