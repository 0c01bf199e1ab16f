"""Which loss of a run is the headline."""

from __future__ import annotations

from lossmon.readers.tags.meaning import meaning
from lossmon.store.headline import headlines
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
