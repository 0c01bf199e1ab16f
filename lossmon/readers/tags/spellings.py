"""Spellings of the frameworks: the tables behind `readers.tags.meaning`.

Every spelling stands here in its normal form: lower case, the words joined by `_`, without the
words that name the split. `train/CE loss` is looked up as `ce_loss`.
"""

from __future__ import annotations

from lossmon.fast_dataclass import dataclass
from lossmon.types import Kind


@dataclass(frozen=True, slots=True)
class Quantity:
    """A quantity that training logs report, apart from the split it was measured on.

    Attributes:
        name: Canonical name without the split: `loss`, `tokens_per_second`.
        label: The same in words.
        kind: Sort of quantity.
        lower_is_better: None where neither direction is good.
        unit: Unit to print behind the value, or empty.
        by_split: Train and eval measure it separately; the others belong to the run.
        secondary: A mean or a repeat of something that may also be logged raw.
        summary: A number about the whole run.
        evaluated: It is measured on held-out data even where the name does not say so.
    """

    name: str
    label: str
    kind: Kind = Kind.OTHER
    lower_is_better: bool | None = None
    unit: str = ""
    by_split: bool = False
    secondary: bool = False
    summary: bool = False
    evaluated: bool = False


def _loss(name: str, label: str, *, secondary: bool = False) -> Quantity:
    return Quantity(name, label, Kind.LOSS, True, by_split=True, secondary=secondary)


def _metric(name: str, label: str, lower: bool | None, *, evaluated: bool = False) -> Quantity:
    return Quantity(name, label, Kind.METRIC, lower, by_split=True, evaluated=evaluated)


def _speed(name: str, label: str, unit: str, *, secondary: bool = False) -> Quantity:
    return Quantity(name, label, Kind.THROUGHPUT, False, unit, secondary=secondary)


def _pace(name: str, label: str, unit: str) -> Quantity:
    return Quantity(name, label, Kind.THROUGHPUT, True, unit)


_RATE = Quantity("learning_rate", "learning rate", Kind.LEARNING_RATE)
_NORM = Quantity("grad_norm", "gradient norm", Kind.GRAD_NORM)
_STEP = Quantity("step", "step")

_TABLE: tuple[tuple[Quantity, str], ...] = (
    (
        _loss("loss", "loss"),
        "loss losses reduced_loss samples_loss epoch_loss main_loss loss_value lossvalue",
    ),
    # Logs that hold one of these beside `loss` exist, so each keeps a key of its own and steps
    # back where there is a plain loss.
    (_loss("total_loss", "total loss", secondary=True), "total_loss loss_total loss_all sum_loss"),
    (
        _loss("lm_loss", "LM loss", secondary=True),
        "lm_loss lm_loss_value lm_loss_lm_loss lm_loss_training_lm_loss language_model_loss",
    ),
    (
        _loss("batch_loss", "loss per batch", secondary=True),
        "batch_loss loss_batch iter_loss step_loss",
    ),
    (_loss("loss_vs_iterations", "loss", secondary=True), "loss_vs_iterations"),
    (
        _loss("smoothed_loss", "smoothed loss", secondary=True),
        "smoothed_loss smooth_loss loss_smoothed loss_smooth loss_ema ema_loss running_loss "
        "loss_running moving_loss loss_ma rolling_loss",
    ),
    (_loss("cost", "cost", secondary=True), "cost criterion"),
    (_loss("objective", "objective", secondary=True), "objective"),
    (
        _loss("cross_entropy", "cross entropy", secondary=True),
        "cross_entropy crossentropy xent ce bce binary_cross_entropy languagecrossentropy",
    ),
    (_loss("neg_elbo", "negative ELBO", secondary=True), "neg_elbo nelbo negative_elbo"),
    (_loss("nll", "negative log-likelihood", secondary=True), "nll negative_log_likelihood"),
    (_loss("logloss", "log loss"), "logloss log_loss binary_logloss"),
    (_loss("multi_logloss", "log loss"), "multi_logloss mlogloss"),
    (_RATE, "lr learning_rate learningrate learning_rates lr_pg0 lr_0 lr0 current_lr lr_current"),
    (
        _RATE,
        "actor_lr params_lr optim_lr opt_lr optim_lr_group_0 optim_learning_rate samples_lr "
        "epoch_learning_rate epoch_lr optimizer_lr optimizer_learning_rate learning_rate_0 "
        "lr_default scheduler_lr param_lr hyperparameters_lr lr_main trainer_lr lr_group_0 "
        "optim_learning_rate_group_0 lr_param_group_0 lr_avg lr_mean stats_lr charts_learning_rate "
        "learning_rate_learning_rate lr_actor trainer_learning_rate lrate",
    ),
    (_NORM, "grad_norm gradnorm gradient_norm gradientnorm gnorm norm total_norm grad_total_norm"),
    (
        _NORM,
        "optim_total_grad_norm actor_grad_norm grad_2_0_norm_total grad_2_norm_total "
        "grad_norm_total "
        "total_grad_norm total_gradient_norm global_grad_norm global_gradient_norm grad_l2_norm "
        "grads_norm gradients_norm grads_total_norm gradient_l2_norm l2_norm_grad_global norm_grad "
        "optim_grad_norm optim_global_grad_norm grad_global_norm grad_norm_global grad_norm_mean "
        "grad_norm_avg gradients_global_norm grad_norm_grad_norm l2_grad_norm grad_inf_norm_total "
        "stats_grad_norm debug_grad_norm policy_grad_norm",
    ),
    (Quantity("epoch", "epoch"), "epoch ep current_epoch trainer_epoch epoch_num epochs epoch_idx"),
    (
        _STEP,
        "step global_step current_step current_steps iter iteration iterations it num_updates "
        "steps trainer_global_step num_steps training_iteration batch_num update updates "
        "total_timesteps time_total_timesteps num_timesteps global_steps iteration_number "
        "training_global_step time_iterations step_num",
    ),
    (
        Quantity("tokens", "tokens seen", unit="tok"),
        "tokens total_tokens num_input_tokens_seen tokens_seen consumed_tokens "
        "tokens_total throughput_total_tokens tokens_consumed input_tokens_seen "
        "num_tokens_seen total_tokens_seen tokens_processed processed_tokens",
    ),
    # TRL logs this beside the Trainer's own count, over all processes.
    (Quantity("num_tokens", "tokens trained on", unit="tok"), "num_tokens n_tokens"),
    (
        Quantity("samples", "samples seen"),
        "samples consumed_samples samples_seen num_samples total_samples examples_seen "
        "num_samples_seen",
    ),
    (
        _speed("tokens_per_second", "tokens per second", "tok/s"),
        "tokens_per_second tokens_per_sec tokens_s tok_s tok_sec tokens_sec toks_s wps tps "
        "tokens_second token_per_second token_per_sec throughput_tokens_per_second "
        "throughput_tokens_per_sec tokens_per_second_total words_per_second throughput_tok_s",
    ),
    (
        _speed("tokens_per_second_per_gpu", "tokens per second per GPU", "tok/s/GPU"),
        "tokens_per_second_per_gpu tokens_per_sec_per_gpu tokens_per_gpu_per_second tgs "
        "tokens_per_gpu_per_sec perf_throughput throughput_device_tokens_per_sec tok_s_gpu "
        "throughput_device_tps tps_per_gpu per_sec_per_gpu tokens_train_per_sec_per_gpu "
        "tokens_per_sec_per_gpu_per_step",
    ),
    (
        _speed("samples_per_second", "samples per second", "samples/s"),
        "samples_per_second samples_per_sec samples_s samples_sec samples_second ips "
        "currsamplespersec examples_per_second examples_per_sec examples_s images_per_second "
        "images_per_sec images_s img_s imgs_s img_sec throughput_samples_per_sec it_bs",
    ),
    (
        _speed("samples_per_second_mean", "samples per second", "samples/s", secondary=True),
        "runningavgsamplespersec",
    ),
    (
        _speed("steps_per_second", "steps per second", "steps/s"),
        "steps_per_second steps_per_sec steps_s step_s it_s its_s iter_s iters_s iters_per_sec "
        "iterations_per_second iterations_per_sec it_per_sec ups batches_per_sec steps_sec "
        "iter_per_sec throughput_batches_per_sec global_step_sec updates_per_second it_sec",
    ),
    (_speed("fps", "frames per second", "frames/s"), "fps time_fps charts_sps sps"),
    (_speed("throughput", "throughput", ""), "throughput"),
    (
        _speed("mfu", "model FLOPs utilization", ""),
        "mfu perf_mfu throughput_mfu bf16_mfu perf_mfu_actor",
    ),
    (
        _speed("tflops_per_gpu", "TFLOP/s per GPU", "TFLOP/s"),
        "tflops tflops_per_gpu throughput_per_gpu_tflop_s_gpu throughput_per_gpu tflop_s_gpu "
        "tflop_s",
    ),
    (
        _pace("step_time", "time per step", "s"),
        "step_time iter_time batch_time batch_cost time_per_step seconds_per_step sec_per_step "
        "s_it s_step sec_it time_per_iteration time_per_iter timing_s_step perf_time_per_step "
        "seconds_per_iteration iteration_time sec_iter timing_step",
    ),
    (
        _pace("step_time_ms", "time per step", "ms"),
        "elapsed_time_per_iteration_ms ms_batch ms_step ms_iter step_avg step_time_ms "
        "iteration_time_ms step_avg_ms",
    ),
    (_metric("perplexity", "perplexity", True), "perplexity ppl lm_loss_ppl languageperplexity"),
    # A compressor minimises it; where a loss is logged as well, that leads.
    (_loss("bits_per_byte", "bits per byte", secondary=True), "bpb bits_per_byte"),
    (
        _metric("accuracy", "accuracy", False),
        "accuracy acc epoch_accuracy epoch_acc accuracies main_accuracy",
    ),
    (_metric("ents_f", "entity F1", False), "ents_f"),
    (_metric("ents_p", "entity precision", False), "ents_p"),
    (_metric("ents_r", "entity recall", False), "ents_r"),
    (_metric("token_accuracy", "token accuracy", False), "mean_token_accuracy token_accuracy"),
    (_metric("reward_accuracy", "reward accuracy", False), "rewards_accuracies rewards_accuracy"),
    (
        _metric("top1", "top-1 accuracy", False),
        "top1 top_1 acc@1 acc1 top1_acc top1_accuracy prec@1 prec1 accuracy_top1 acc_top1 acc@top1 "
        "accuracy_top_1 top_1_accuracy precision@1",
    ),
    (
        _metric("top5", "top-5 accuracy", False),
        "top5 top_5 acc@5 acc5 top5_acc top5_accuracy prec@5 prec5 accuracy_top5 acc_top5 acc@top5 "
        "accuracy_top_5 top_5_accuracy precision@5",
    ),
    (
        _metric("map50_95", "mAP50-95", False, evaluated=True),
        "map50_95 metrics_map50_95_b metrics_map_0_5:0_95 map_0_5_0_95 metrics_map50_95 "
        "metrics_map_0_5_0_95",
    ),
    (
        _metric("map50", "mAP50", False, evaluated=True),
        "map50 metrics_map50_b metrics_map_0_5 map@0_5 map_0_5 metrics_map50",
    ),
    (
        _metric("precision_b", "precision", False, evaluated=True),
        "metrics_precision_b metrics_precision",
    ),
    (_metric("recall_b", "recall", False, evaluated=True), "metrics_recall_b metrics_recall"),
    (
        _metric("reward", "reward", False),
        "reward mean_reward reward_mean rewards avg_reward average_reward",
    ),
    (
        _metric("episode_reward", "episode reward", False),
        "rollout_ep_rew_mean ep_rew_mean episode_reward_mean env_runners_episode_reward_mean "
        "episode_return_mean env_runners_episode_return_mean episode_reward mean_ep_reward "
        "eprewmean averageepret",
    ),
    (_metric("rewards_chosen", "reward of chosen", None), "rewards_chosen"),
    (_metric("rewards_rejected", "reward of rejected", None), "rewards_rejected"),
    (_metric("rewards_margins", "reward margin", False), "rewards_margins rewards_margin"),
    (_metric("kl", "KL", None), "kl objective_kl mean_kl"),
    # From the policy before the update, not from the reference: a hundredth of the other.
    (_metric("approx_kl", "approx. KL", None), "approx_kl approxkl ppo_kl actor_ppo_kl"),
    (_metric("entropy", "entropy", None), "entropy actor_entropy policy_entropy objective_entropy"),
    # What a search over hyperparameters came to; only its reader knows which way is better.
    (
        _metric("minimized_objective", "objective", True, evaluated=True),
        "minimized_objective",
    ),
    (
        _metric("maximized_objective", "objective", False, evaluated=True),
        "maximized_objective",
    ),
    (_metric("r2", "R²", False), "r2 r2_score r_squared"),
    (Quantity("train_runtime", "training time", unit="s", summary=True), "runtime"),
    (Quantity("total_flos", "total FLOs", summary=True), "total_flos"),
    (Quantity("hp_metric", "hp_metric", summary=True), "hp_metric"),
)


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _spellings() -> dict[str, Quantity]:
    return {spelling: quantity for quantity, words in _TABLE for spelling in words.split()}


SPELLINGS: dict[str, Quantity] = _spellings()
"""Normal form of a spelling → what it stands for."""

TRAIN_WORDS = frozenset({"train", "training", "trn", "tr", "learn"})
"""Words that say that a value was measured on the training data."""

EVAL_WORDS = _set(
    "eval evaluation evaluate val va vl vld vali valid validation validate validating dev cv "
    "holdout heldout "
    "test testing tst predict"
)
"""Words that say that a value was measured on held-out data."""

TEST_WORDS = frozenset({"test", "testing", "tst", "predict"})
"""Those of them that name a set of its own beside the validation set."""

SETTING_WORDS = _set(
    "coef coeff coefficient weight weights scale scaling eps epsilon max clip clipping threshold "
    "scheduler type fn name betas beta seed port version target patience decay warmup mult "
    "multiplier alpha gamma tau reduction ratio limit best lowest delta prev previous gap slope "
    "std var variance num count n window grad_accum batchsize"
)
"""Words that make a setting or a by-product of a loss, rate or norm that they stand beside."""

OTHER_WORDS = _set(
    "runtime elapsed eta remaining time duration seconds timestamp memory mem vram gpu cpu disk "
    "network system hparam seed rank port pid version batch_size data_time mom momentum betas eps "
    "percentage progress"
)
"""Words of things that surround the training: never a metric."""

BETTER_HIGH = _set(
    "acc accuracy accuracies auc auroc aupr auprc roc f1 fscore fbeta map map50 map75 ap ap50 ap75 "
    "aps apm apl iou miou dice bleu sacrebleu chrf rouge rouge1 rouge2 rougel rougelsum meteor "
    "cider precision recall psnr ssim r2 score scores reward rewards return returns mcc kappa hit "
    "hits ndcg mrr em exact match winrate win success spearman spearmanr pearson pearsonr matthews "
    "correlation sensitivity specificity top1 top5 margins comet bertscore "
    "explained_variance pass@1 acc@1 acc@5"
)
"""Words whose metric is good when high."""

BETTER_LOW = _set(
    "error err errors rmse mse mae mape smape rmsle msle wer cer ter per bpb bpc fid kid ppl "
    "perplexity nll lpips brier eer hausdorff l1 l2 regret distance rmsd mpjpe epe logloss "
    "crossentropy xent quantile poisson huber bpd"
)
"""Words whose metric is good when low."""

DETECTION_WORDS = _set("map map50 map75 ap ap50 ap75 aps apm apl miou")
"""Metrics that are not computed on training batches: without a split word they are eval."""

BOOSTING_LOSSES = _set(
    "rmse mse mae mape l1 l2 error merror quantile poisson huber fair gamma tweedie rmsle logloss "
    "mlogloss binary_error multi_error cross_entropy xentropy crossentropy multiclass "
    "poisson_nloglik gamma_nloglik tweedie_nloglik cox_nloglik mphe hinge kldiv"
)
"""What XGBoost, LightGBM and CatBoost print as the loss they minimise."""

COUNTED_LOSSES = _set("error merror binary_error multi_error")
"""Those of them that count wrong answers: printed beside the loss that is minimised."""

SHORTHANDS = {
    # What XGBoost's examples call their matrices.
    "dtrain": ("train",),
    "dval": ("val",),
    "dvalid": ("valid",),
    "dtest": ("test",),
    "deval": ("eval",),
    "trl": ("train", "loss"),
    "tel": ("val", "loss"),
    "tloss": ("train", "loss"),
    "vloss": ("val", "loss"),
}
"""Words that are a split and a quantity at once; llm.c's `tel` is its validation loss."""

CHINESE = {
    "训练": "train_",
    "验证": "val_",
    "测试": "test_",
    "评估": "eval_",
    "损失": "_loss_",
    "学习率": "learning_rate",
    "准确率": "_accuracy_",
    "精度": "_accuracy_",
    "困惑度": "_perplexity_",
    "梯度范数": "grad_norm",
    "轮次": "epoch",
    "步数": "step",
}
"""Words of Chinese training scripts → theirs here."""
