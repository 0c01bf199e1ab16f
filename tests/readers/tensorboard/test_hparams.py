from __future__ import annotations

import pytest
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from lossmon.readers.files.protobuf import MalformedError
from lossmon.readers.tensorboard.reader import decode_hparams


def test_settings_of_every_kind_become_text() -> None:
    data = HParamsPluginData()
    hparams = data.session_start_info.hparams
    hparams["lr"].number_value = 1e-3
    hparams["bf16"].bool_value = True
    hparams["optimizer"].string_value = "adam\x1b[31mw"
    hparams["nothing"].null_value = 0
    settings = decode_hparams(data.SerializeToString())
    assert settings.pop("optimizer").isprintable()
    assert settings == {"lr": "0.001", "bf16": "true", "nothing": ""}


def test_other_data_of_the_plugin_has_no_settings() -> None:
    assert decode_hparams(HParamsPluginData(version=0).SerializeToString()) == {}


def test_bytes_that_are_not_a_message_are_malformed() -> None:
    with pytest.raises(MalformedError):
        decode_hparams(b"\x1a\x7fx")
