"""Which loss of a run is the headline."""

from __future__ import annotations

from lossmon.readers.tags.meaning import meaning
from lossmon.store.headline import headlines, stand_ins
from lossmon.types import Axis


def _train(*tags: str) -> str | None:
    known = [meaning(tag) for tag in tags]
    return headlines([(one.key, one, 20, Axis.STEP) for one in known]).train


def test_a_policys_loss_leads_the_terms_that_restrain_it() -> None:
    losses = _train("actor/entropy_loss", "actor/kl_loss", "actor/pg_loss", "critic/vf_loss")
    assert losses == meaning("actor/pg_loss").key
    assert _train("kl_loss", "recon_loss") == meaning("recon_loss").key


def test_a_cross_entropy_is_a_loss_of_its_own() -> None:
    assert _train("cross_entropy_loss", "dice_loss") == meaning("cross_entropy_loss").key


def _stand_ins(*tags: str) -> set[str]:
    return set(stand_ins([meaning(tag, source="text") for tag in tags]))


def test_a_run_without_a_loss_is_judged_by_its_perplexities_or_errors() -> None:
    assert _stand_ins("Train-perplexity", "Validation-perplexity", "lr") == {
        "train/perplexity",
        "eval/perplexity",
    }
    assert _stand_ins("Train MSE", "Test MSE") == {"train/mse", "test/mse"}
    assert _stand_ins("train_mse", "val_mse", "test_mse") == {"train/mse", "eval/mse"}
    assert _stand_ins("mse", "mae", "val_mae") == {"train/mse"}
    assert _stand_ins("accuracy", "val_accuracy") == set()


def test_a_logged_loss_is_not_replaced_by_a_metric() -> None:
    assert _stand_ins("loss", "train_ppl", "val_ppl") == set()
    assert _stand_ins("val_loss", "train_ppl", "val_ppl") == set()


def test_metrics_of_both_sets_precede_a_component_of_the_loss() -> None:
    assert _stand_ins("Gate Loss", "Train MSE", "Val MSE") == {"train/mse", "eval/mse"}
    assert _stand_ins("box_loss", "cls_loss", "val_mae") == set()
    assert _stand_ins("box_loss", "val/box_loss", "mae", "val_mae") == set()
