"""Hardware of a run's hosts: from DCGM's exporter and the node exporter, else from ours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from lossmon.nodes.order import ordered
from lossmon.prometheus.client import Element, PrometheusClient
from lossmon.prometheus.curves import escaped
from lossmon.prometheus.fleet import Key, host_of
from lossmon.sanitize import one_line
from lossmon.types import GpuReading, HostReading, NodeReading

MOST_HOSTS = 256
"""Hosts of one run that are asked for."""

LOCAL = frozenset({"localhost", "127.0.0.1", "::1", ""})
"""Hosts of an exporter that say nothing of where it is."""

_MIB = float(1 << 20)

GPU_METRICS: Mapping[str, tuple[str, float]] = {
    "DCGM_FI_DEV_GPU_UTIL": ("utilization", 1.0),
    "DCGM_FI_DEV_FB_USED": ("memory_used", _MIB),
    "DCGM_FI_DEV_FB_FREE": ("memory_free", _MIB),
    "DCGM_FI_DEV_POWER_USAGE": ("power", 1.0),
    "DCGM_FI_DEV_GPU_TEMP": ("temperature", 1.0),
    "DCGM_FI_DEV_SM_CLOCK": ("sm_clock", 1e6),
    "lossmon_gpu_utilization_ratio": ("utilization", 100.0),
    "lossmon_gpu_memory_used_bytes": ("memory_used", 1.0),
    "lossmon_gpu_memory_size_bytes": ("memory_total", 1.0),
    "lossmon_gpu_power_watts": ("power", 1.0),
    "lossmon_gpu_power_limit_watts": ("power_limit", 1.0),
    "lossmon_gpu_temperature_celsius": ("temperature", 1.0),
    "lossmon_gpu_sm_clock_hertz": ("sm_clock", 1.0),
    "lossmon_gpu_lost": ("lost", 1.0),
}
"""Field and factor of each metric of a GPU; those of DCGM count before ours."""

HOST_METRICS: Mapping[str, tuple[str, float]] = {
    "lossmon_node_cpu_ratio": ("cpu", 100.0),
    "lossmon_node_memory_used_bytes": ("memory_used", 1.0),
    "lossmon_node_memory_size_bytes": ("memory_total", 1.0),
    "lossmon_node_disk_free_bytes": ("disk_free", 1.0),
    "lossmon_node_disk_size_bytes": ("disk_total", 1.0),
}
"""The same of a host, of our exporter."""

NODE_EXPORTER: Mapping[str, str] = {
    "cpu": '100 * (1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle",WHICH}[5m])))',
    "memory_total": "node_memory_MemTotal_bytes{WHICH}",
    "memory_used": "node_memory_MemTotal_bytes{WHICH} - node_memory_MemAvailable_bytes{WHICH}",
}
"""Query of each field of a host; WHICH selects the instances."""

FILE_SYSTEMS: Mapping[str, str] = {
    "disk_free": "node_filesystem_avail_bytes",
    "disk_total": "node_filesystem_size_bytes",
}
"""Metric of each field of the file system that a run lies on."""

_WHOLE = ("memory_used", "memory_total", "disk_free", "disk_total")


class NodeReader:
    """Reads the hosts of runs.

    A host may have a domain in one metric and none in another: the part before the first dot
    tells it from the others of its run.
    """

    def __init__(self, client: PrometheusClient) -> None:
        self._client = client

    def read(self, key: Key) -> tuple[NodeReading, ...]:
        """The hosts of a run, those that need attention first.

        Raises:
            PrometheusError: The server does not answer.
        """
        hosts = self._hosts(key)
        if not hosts:
            return ()
        named = "|".join(escaped(_short(host)) for host in sorted(hosts)[:MOST_HOSTS])
        which = f'=~"({named})([.].*)?"'
        gpus, newest = self._gpus(which)
        machines = self._machines(which, key[1])
        nodes = (
            NodeReading(
                host,
                newest.get(_short(host), 0.0),
                tuple(_gpu(i, gpus[_short(host)][i]) for i in sorted(gpus[_short(host)])),
                machines.get(_short(host)),
                stale=not fresh,
                source="Prometheus",
            )
            for host, fresh in hosts.items()
        )
        return ordered(node for node in nodes if node.gpus or node.host or node.stale)

    def _hosts(self, key: Key) -> dict[str, bool]:
        """The hosts that a run names, else that of its exporter; whether each has answered."""
        instance, path = (escaped(part) for part in key)
        found = self._client.query(f'lossmon_run_node{{instance=~"{instance}",path=~"{path}"}}')
        named = {one_line(one.labels.get("node", "")): one.value > 0 for one in found}
        if named:
            return named
        host = host_of(key[0])
        return {} if host in LOCAL else {host: True}

    def _gpus(self, which: str) -> tuple[dict[str, dict[int, dict[str, float]]], dict[str, float]]:
        """Fields by host and index, and the moment of the newest of each host."""
        metrics = "|".join(GPU_METRICS)
        found = [
            *self._client.query(f'{{__name__=~"{metrics}",Hostname{which}}}'),
            *self._client.query(f'{{__name__=~"{metrics}",node{which}}}'),
        ]
        gpus: dict[str, dict[int, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
        newest: dict[str, float] = {}
        for one in found:
            host = _short(one.labels.get("Hostname") or one.labels.get("node", ""))
            index = one.labels.get("gpu", "")
            if index.isdecimal() and len(index) < 5:
                name, factor = GPU_METRICS[one.labels["__name__"]]
                gpus[host][int(index)].setdefault(name, one.value * factor)
                newest[host] = max(one.time, newest.get(host, 0.0))
        return gpus, newest

    def _machines(self, which: str, path: str) -> dict[str, HostReading]:
        """Readings by host, of the node exporter where there is one."""
        fields = self._own_fields(which)
        known = self._client.query(f"node_uname_info{{nodename{which}}}")
        hosts = {one.labels.get("instance", ""): _short(one.labels["nodename"]) for one in known}
        if hosts:
            instances = "|".join(escaped(instance) for instance in hosts)
            self._add_fields(fields, hosts, f'instance=~"{instances}"', path)
        return {host: _host(host, known) for host, known in fields.items()}

    def _own_fields(self, which: str) -> dict[str, dict[str, float]]:
        metrics = "|".join(HOST_METRICS)
        fields: dict[str, dict[str, float]] = defaultdict(dict)
        for one in self._client.query(f'{{__name__=~"{metrics}",node{which}}}'):
            name, factor = HOST_METRICS[one.labels["__name__"]]
            fields[_short(one.labels["node"])][name] = one.value * factor
        return fields

    def _add_fields(
        self,
        fields: dict[str, dict[str, float]],
        hosts: Mapping[str, str],
        which: str,
        path: str,
    ) -> None:
        for name, expression in NODE_EXPORTER.items():
            for one in self._client.query(expression.replace("WHICH", which)):
                host = hosts.get(one.labels.get("instance", ""))
                if host is not None and one.value == one.value:
                    fields[host][name] = one.value
        for name, metric in FILE_SYSTEMS.items():
            disks = self._client.query(f"{metric}{{{which}}}")
            for instance, value in _below(disks, path).items():
                fields[hosts[instance]][name] = value


def _short(host: str) -> str:
    """`gpu01` of `gpu01.cluster.example`; an address as it stands."""
    first = host.partition(".")[0]
    return host if first.isdecimal() else first


def _below(disks: Iterable[Element], path: str) -> dict[str, float]:
    """By instance what is known of the file system that a path lies on."""
    best: dict[str, tuple[int, float]] = {}
    for one in disks:
        point, instance = one.labels.get("mountpoint", ""), one.labels.get("instance", "")
        if point and (path == point or path.startswith(point.rstrip("/") + "/")):
            best[instance] = max(best.get(instance, (0, 0.0)), (len(point), one.value))
    return {instance: value for instance, (_, value) in best.items()}


def _gpu(index: int, fields: Mapping[str, float]) -> GpuReading:
    known = dict(fields)
    free = known.pop("memory_free", None)
    if "memory_total" not in known and free is not None and "memory_used" in known:
        known["memory_total"] = known["memory_used"] + free
    lost = known.pop("lost", 0.0) > 0
    numbers = {name: _fit(name, value) for name, value in known.items()}
    reading = GpuReading(index, f"GPU {index}", lost=lost)
    return replace(reading, **numbers)  # type: ignore[arg-type]


def _host(name: str, fields: Mapping[str, float]) -> HostReading:
    numbers = {field: _fit(field, value) for field, value in fields.items()}
    return replace(HostReading(name), **numbers)  # type: ignore[arg-type]


def _fit(name: str, value: float) -> float | int | None:
    if not 0 <= value < 1e18:
        return None
    if name in ("utilization", "cpu"):
        return min(value, 100.0)
    return int(value) if name in _WHOLE else value
