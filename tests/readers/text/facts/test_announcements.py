"""Lines that announce the end of a training."""

from __future__ import annotations

import pytest

from lossmon.readers.text.facts.run_facts import Announcements


@pytest.mark.parametrize(
    ("line", "finished"),
    [
        ("`Trainer.fit` stopped: `max_epochs=20` reached.", True),
        ("Trainer.fit stopped: `max_steps=400` reached.", True),
        ("Monitored metric val_loss did not improve. Signaling Trainer to stop.", True),
        ("Stopping threshold reached: acc = 0.95 > 0.9. Signaling Trainer to stop.", True),
        ("Divergence threshold reached: loss = 9.1 > 5. Signaling Trainer to stop.", False),
        ("training ResNet18 finished", True),
        ("Training of model-b is completed", True),
        ("Training is Done", True),
        ("training epoch 10 finished", False),
        ("Training is done for epoch 3", False),
        ("Training is not finished", False),
        ("Early stopping triggered after 12 epochs", True),
        ("Early stopping at epoch 30: no improvement in val loss for 10 epochs", True),
        ("[pretrain] early stop after 28 epochs (no improvement for 6)", True),
        ("Early stopping!", True),
        ("Early stopping occurred at epoch 11 with best_epoch = 8", True),
        ("Early stopping counter: 3 out of 7", False),
        ("EarlyStopping counter: 3 out of 10", False),
        ("Early stopping in 3 epochs", False),
        ("Early stopping: patience 10", False),
        (':::MLLOG {"namespace": "", "key": "run_stop", "metadata": {"status": "success"}}', True),
    ],
)
def test_the_end_of_a_training_is_told_from_that_of_a_part(line: str, finished: bool) -> None:
    announcements = Announcements()
    announcements.add(line)
    assert announcements.finished is finished
