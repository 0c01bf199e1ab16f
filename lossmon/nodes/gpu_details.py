"""Details of a GPU as JSON, written and read."""

from __future__ import annotations

from typing import Any

from lossmon.nodes.values import number, text, whole
from lossmon.types import GpuDetails, GpuPartition, PcieLink

MOST = 16
"""Driver errors and partitions per GPU that are kept."""

_NUMBERS = (
    *("sm_clock_max", "memory_clock", "nvlink_sent", "nvlink_received"),
    *("fan", "encoder", "decoder"),
)
_COUNTS = ("ecc_corrected", "ecc_uncorrected", "nvlinks", "nvlinks_total")
_FLAGS = ("remap_pending", "remap_failed")
_PCIE = ("generation", "width", "max_generation", "max_width")


def details_document(details: GpuDetails | None) -> dict[str, Any] | None:
    """Describe details; what is not known is None."""
    if details is None:
        return None
    document: dict[str, Any] = {name: getattr(details, name) for name in (*_NUMBERS, *_COUNTS)}
    document |= {name: getattr(details, name) or None for name in _FLAGS}
    if details.pcie is not None:
        document["pcie"] = {name: getattr(details.pcie, name) for name in _PCIE}
    document["xids"] = list(details.xids)
    document["partitions"] = [
        {
            "index": p.index,
            "name": p.name,
            "memory_used": p.memory_used,
            "memory_total": p.memory_total,
        }
        for p in details.partitions
    ]
    return document


def details_of(entry: object) -> GpuDetails | None:
    """Read details; None where they are not such a document."""
    if not isinstance(entry, dict):
        return None
    fields: dict[str, Any] = {name: number(entry.get(name)) for name in _NUMBERS}
    fields |= {name: whole(entry.get(name)) for name in _COUNTS}
    fields |= {name: entry.get(name) is True for name in _FLAGS}
    return GpuDetails(
        **fields,
        pcie=_pcie(entry.get("pcie")),
        xids=_xids(entry.get("xids")),
        partitions=_partitions(entry.get("partitions")),
    )


def _pcie(entry: object) -> PcieLink | None:
    known = [whole(entry.get(name)) for name in _PCIE] if isinstance(entry, dict) else [None]
    return None if None in known else PcieLink(*(one or 0 for one in known))


def _xids(entries: object) -> tuple[int, ...]:
    codes = map(whole, entries[-MOST:]) if isinstance(entries, list) else ()
    return tuple(code for code in codes if code is not None)


def _partitions(entries: object) -> tuple[GpuPartition, ...]:
    return tuple(
        GpuPartition(
            index,
            text(one.get("name")),
            whole(one.get("memory_used")),
            whole(one.get("memory_total")),
        )
        for one in (entries[:MOST] if isinstance(entries, list) else ())
        if isinstance(one, dict) and (index := whole(one.get("index"))) is not None
    )
