"""Hyperparameters in event files."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

from lossmon.readers.files.protobuf import MalformedError
from lossmon.readers.hyperparameters import LONGEST_SETTING, MOST_SETTINGS, facts_of
from lossmon.sanitize import one_line
from lossmon.types import Facts


def decode_hparams(content: bytes) -> dict[str, str]:
    """Decode the settings in the data of the hparams plugin; empty if there are none.

    Raises:
        MalformedError: The bytes are not such data.
    """
    # Only runs with hyperparameters need the import of TensorBoard's messages.
    from google.protobuf.message import DecodeError
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    try:
        found = HParamsPluginData.FromString(content).session_start_info.hparams
    except DecodeError as error:
        raise MalformedError(str(error)) from error
    return {
        one_line(name, LONGEST_SETTING): _text(found[name])
        for name in islice(sorted(found), MOST_SETTINGS)
    }


def _text(value: Any) -> str:
    """A `google.protobuf.Value` that is a number, a text or a Boolean."""
    kind = value.WhichOneof("kind")
    if kind == "number_value":
        return f"{value.number_value:.15g}"
    if kind == "string_value":
        return one_line(value.string_value, LONGEST_SETTING)
    return str(value.bool_value).lower() if kind == "bool_value" else ""


def arguments(text: str) -> Facts | None:
    """Return the plan and the settings in the arguments of a Hugging Face Trainer.

    None if the text is not a JSON object.
    """
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return facts_of(loaded) if isinstance(loaded, dict) else None
