"""SQLite databases and journals of experiment trackers; each may hold many runs."""

from __future__ import annotations

from lossmon.readers.format import Dialect, DirectoryRules, Format, Rank, lazy

_HERE = "lossmon.readers.databases"

_NAMES = ("*.db", "*.sqlite", "*.sqlite3")

_OPTUNA = Dialect(
    aliases={
        "objective_minimize": "minimized_objective",
        "objective_maximize": "maximized_objective",
    }
)

FORMATS = (
    Format(
        source="optuna_journal",
        title="Optuna journal",
        names=("*.log", "*.jsonl", "*journal*"),
        marker=b'"op_code"',
        claims=lazy(f"{_HERE}.detection:claims_journal"),
        open=lazy(f"{_HERE}.optuna_journal:open_journal"),
        rank=Rank.LIVE,
        container=lazy(f"{_HERE}.optuna_journal:OptunaJournal"),
        studies=True,
        dialect=_OPTUNA,
    ),
    Format(
        source="traceml",
        title="TraceML session",
        names=("telemetry",),
        claims=lazy(f"{_HERE}.detection:claims_traceml"),
        open=lazy(f"{_HERE}.traceml:open_session"),
        rank=Rank.BLOCKS,
        write_ahead=True,
        directories=DirectoryRules(parts=frozenset({"aggregator"})),
    ),
    Format(
        source="traceml",
        title="TraceML session",
        names=("manifest.json",),
        claims=lazy(f"{_HERE}.detection:claims_manifest"),
        open=lazy(f"{_HERE}.traceml:TracemlManifest"),
        rank=Rank.BLOCKS,
    ),
    Format(
        source="mlflow",
        title="MLflow database",
        names=_NAMES,
        claims=lazy(f"{_HERE}.detection:claims_mlflow"),
        open=lazy(f"{_HERE}.mlflow:open_newest"),
        rank=Rank.BLOCKS,
        container=lazy(f"{_HERE}.mlflow:open_database"),
        write_ahead=True,
    ),
    Format(
        source="trackio",
        title="Trackio database",
        names=_NAMES,
        claims=lazy(f"{_HERE}.detection:claims_trackio"),
        open=lazy(f"{_HERE}.trackio:open_newest"),
        rank=Rank.BLOCKS,
        container=lazy(f"{_HERE}.trackio:open_database"),
        write_ahead=True,
        directories=DirectoryRules(parts=frozenset({"trackio"})),
    ),
    Format(
        source="optuna",
        title="Optuna database",
        names=_NAMES,
        claims=lazy(f"{_HERE}.detection:claims_optuna"),
        open=lazy(f"{_HERE}.optuna:open_newest"),
        rank=Rank.BLOCKS,
        container=lazy(f"{_HERE}.optuna:open_database"),
        studies=True,
        write_ahead=True,
        dialect=_OPTUNA,
    ),
)
