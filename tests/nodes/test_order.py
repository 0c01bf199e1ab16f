from __future__ import annotations

from lossmon.nodes.order import ordered, stragglers
from lossmon.types import GpuReading, NodeProcess, NodeReading, ProcessState


def node(name: str, *utilizations: float, stale: bool = False, **fields: object) -> NodeReading:
    gpus = tuple(GpuReading(at, "GPU", used) for at, used in enumerate(utilizations))
    return NodeReading(name, 0.0, gpus, stale=stale, **fields)  # type: ignore[arg-type]


def names(*nodes: NodeReading) -> list[str]:
    return [one.name for one in ordered(nodes)]


def test_equal_nodes_stand_in_the_order_that_people_count_in() -> None:
    assert names(node("gpu10", 90), node("gpu9", 91), node("gpu2", 89)) == ["gpu2", "gpu9", "gpu10"]


def test_what_needs_attention_stands_first() -> None:
    gone = (NodeProcess(1, "python", ProcessState.GONE),)
    assert names(
        node("a", 95, 96),
        node("slow", 97, 40),
        node("stale", 95, stale=True),
        node("dead", 0, processes=gone),
        node("b", 95),
    ) == ["dead", "stale", "slow", "a", "b"]


def test_the_slow_gpu_of_a_node_stands_first_and_is_named() -> None:
    (first, *_) = ordered([node("a", 95, 96, 50, 97), node("b", 96, 97)])
    assert [gpu.index for gpu in first.gpus] == [2, 0, 1, 3]
    (slow,) = stragglers([node("a", 95, 96, 50, 97), node("b", 96, 97)])
    assert (slow.node, slow.gpu, slow.utilization, slow.usual) == ("a", 2, 50.0, 96.0)


def test_a_sample_between_two_steps_is_no_straggler() -> None:
    gpus = tuple(
        GpuReading(at, "GPU", 0.0 if at == 1 else 95.0, utilization_history=(95.0,) * 9 + (last,))
        for at, last in enumerate((95.0, 0.0, 95.0, 95.0))
    )
    assert list(stragglers([NodeReading("a", 0.0, gpus)])) == []


def test_of_two_gpus_none_is_the_usual_one() -> None:
    assert list(stragglers([node("a", 95), node("b", 5)])) == []
