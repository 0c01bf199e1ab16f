"""Print every figure of the diagnosis beside those of others on the same curves.

python -m benchmarks.diagnosis --corpus DIR --faults DIR
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks.diagnosis import peers, scoring
from benchmarks.diagnosis.invariance import CHANGES
from benchmarks.diagnosis.replay import diagnose, forecast_at
from benchmarks.diagnosis.runs import Run, corpus, faults
from lossmon.types import Confidence, Diagnosis

FORECAST_AT = (0.5, 0.7, 0.9)
PATIENCES = (10, 20, 80)
LABELLED = "ofg-train__"

RIGHT_WITH = {
    Confidence.LOW: ">= 70 %",
    Confidence.MEDIUM: ">= 90 %",
    Confidence.HIGH: ">= 97 %",
}
"""Share of right verdicts that each confidence stands for."""

Verdicts = dict[str, Diagnosis]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; 0 unless the folders are missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.diagnosis", description=__doc__)
    parser.add_argument("--faults", type=Path, help="runs with an induced condition")
    parser.add_argument("--corpus", type=Path, help="public training curves")
    parser.add_argument("--sensitivity", type=float, default=1.0)
    parser.add_argument("--verbose", action="store_true", help="name every wrong verdict")
    options = parser.parse_args(arguments)
    if options.faults is None and options.corpus is None:
        parser.error("give --faults, --corpus or both")
    if options.faults is not None:
        runs = faults(options.faults)
        verdicts = judged("faults", runs, options.sensitivity)
        print_faults(runs, verdicts, options.verbose)
        print_invariance(runs, verdicts, options.sensitivity)
    if options.corpus is not None:
        runs = corpus(options.corpus)
        verdicts = judged("corpus", runs, options.sensitivity)
        print_corpus(runs, verdicts)
    return 0


def judged(name: str, runs: list[Run], sensitivity: float) -> Verdicts:
    """Diagnose every run, and say what that cost."""
    began = time.process_time()
    verdicts = {run.name: diagnose(run, sensitivity) for run in runs}
    spent = time.process_time() - began
    points = sum(len(run.steps) for run in runs)
    heading(f"{name}: {len(runs)} runs, {points:,} points")
    row("microseconds per point, whole engine", f"{spent / max(points, 1) * 1e6:.1f}", "<= 20")
    turns = sorted(scoring.changes(verdict) for verdict in verdicts.values())
    if turns:
        found = f"{turns[len(turns) // 2]} / {turns[int(0.9 * (len(turns) - 1))]}"
        row("badge changes per run, median / 90th percentile", found, "<= 2 / <= 5")
    return verdicts


def print_faults(runs: list[Run], verdicts: Verdicts, verbose: bool) -> None:
    """Figures on runs whose condition is known by construction."""
    seen = [run for run in runs if run.observable]
    codes = {name: verdict.verdict.code for name, verdict in verdicts.items()}
    score, each = condition_f1(seen, codes)
    row("macro-F1 of the final verdict", f"{score:.3f}", ">= 0.93")
    folds = fold_scores(seen, codes)
    row("  the same per task, lowest to highest", f"{min(folds):.2f} to {max(folds):.2f}", "")
    quiet = [run for run in runs if run.label in scoring.QUIET]
    alarms = [run for run in quiet if scoring.false_alarm(run, verdicts[run.name].history)]
    share = len(alarms) / max(len(quiet), 1)
    row("false alarms on quiet runs", f"{share:.1%} ({len(alarms)} of {len(quiet)})", "<= 3 %")
    print_confidence(seen, verdicts)
    print_delays(seen, verdicts)
    early = [run for run in seen if premature(run, verdicts[run.name])]
    row("alarms before the onset", f"{len(early)} runs", "")
    print_conditions(seen, codes, each)
    print_peers_on_faults(seen, score, codes)
    if verbose:
        for run in seen:
            if codes[run.name] not in run.accept:
                print(f"  wrong: {run.name} is {run.label}, said {codes[run.name]}")
        for run in alarms:
            print(f"  false alarm: {run.name}")


def print_confidence(runs: list[Run], verdicts: Verdicts) -> None:
    """How often verdicts are right, by the confidence that they were said with."""
    for confidence, (right, said) in scoring.calibration(runs, verdicts).items():
        found = f"{right / said:.1%} ({right} of {said})" if said else "-"
        row(f"  right with {confidence} confidence", found, RIGHT_WITH[confidence])


def condition_f1(runs: list[Run], codes: Mapping[str, str]) -> tuple[float, dict[str, float]]:
    """Macro-F1 over the conditions, and that of each."""
    return scoring.macro_f1([(r.label, scoring.predicted(r, codes[r.name])) for r in runs])


def fold_scores(runs: list[Run], codes: Mapping[str, str]) -> list[float]:
    """Share of right verdicts in each task."""
    right: dict[str, list[bool]] = defaultdict(list)
    for run in runs:
        right[run.task].append(codes[run.name] in run.accept)
    return [sum(marks) / len(marks) for marks in right.values()]


def premature(run: Run, verdict: Diagnosis) -> bool:
    """A warning before the condition began."""
    return run.onset is not None and any(
        turn.severity >= 3 and turn.step < run.onset for turn in verdict.history
    )


def print_delays(runs: list[Run], verdicts: Verdicts) -> None:
    """How long after its onset each sudden condition was named."""
    everything: list[int] = []
    missed = 0
    for label in scoring.SUDDEN:
        chosen = [run for run in runs if run.label == label]
        delays = [scoring.delay(run, verdicts[run.name].history) for run in chosen]
        known = [delay for delay in delays if delay is not None]
        missed += len(delays) - len(known)
        everything += known
        shown = f"{median(known):g}" if known else "-"
        row(f"  delay of {label}", f"{shown} evals, never: {len(delays) - len(known)}", "")
    overall = f"{median(everything):g} evals, never: {missed}" if everything else "-"
    row("detection delay, median", overall, "<= 3")


def print_conditions(runs: list[Run], codes: Mapping[str, str], each: dict[str, float]) -> None:
    """What each condition was called in the end."""
    table = scoring.confusion(runs, codes)
    for label in sorted(each):
        said = ", ".join(f"{code} {n}" for code, n in table[label].most_common())
        print(f"    {label:22} F1 {each[label]:.2f}   {said}")


def print_peers_on_faults(runs: list[Run], score: float, codes: Mapping[str, str]) -> None:
    """The same figures of other tools, after the fact."""
    heading("the same finished runs, others")
    asks: dict[str, Callable[[Run], peers.Said | None]] = {
        "runmedic": peers.runmedic,
        "trainspotter": peers.trainspotter,
    }
    rows = {"lossmon": (score, codes)}
    for name, ask in asks.items():
        said = {run.name: ask(run) for run in runs}
        known = {run: s for run, s in said.items() if s is not None}
        if not known:
            row(name, peers.NOT_INSTALLED, "")
            continue
        theirs = {run: s.code for run, s in known.items()}
        quiet = [run for run in runs if run.label in scoring.QUIET]
        noisy = sum(known[run.name].warned for run in quiet)
        row(
            f"{peers.version(name)}: macro-F1 / warns on quiet runs",
            f"{condition_f1(runs, theirs)[0]:.3f} / {noisy} of {len(quiet)}",
            "",
        )
        rows[name] = (0.0, theirs)
        print_found(runs, known)
    for name, (_, verdicts) in rows.items():
        print(f"    {name:14}{hits(runs, verdicts)}")


def print_found(runs: list[Run], known: Mapping[str, peers.Said]) -> None:
    """How many runs of each condition a peer names anywhere in its report."""
    counts = []
    for label in sorted({run.label for run in runs}):
        chosen = [run for run in runs if run.label == label]
        named = sum(
            bool(known[run.name].found & run.accept)
            or (not known[run.name].found and "healthy" in run.accept)
            for run in chosen
        )
        counts.append(f"{label} {named}/{len(chosen)}")
    print("    named anywhere: " + ", ".join(counts))


def hits(runs: list[Run], codes: Mapping[str, str]) -> str:
    """Right final verdicts per condition, in one line."""
    parts = []
    for label in sorted({run.label for run in runs}):
        chosen = [run for run in runs if run.label == label]
        right = sum(codes[run.name] in run.accept for run in chosen)
        parts.append(f"{label} {right}/{len(chosen)}")
    return ", ".join(parts)


def print_invariance(runs: list[Run], verdicts: Verdicts, sensitivity: float) -> None:
    """How often a run told differently keeps its final verdict."""
    heading("invariance of the final verdict on observable runs")
    seen = [run for run in runs if run.observable]
    total = same = 0
    for name, change in CHANGES.items():
        kept = sum(
            diagnose(change(run), sensitivity).verdict.code == verdicts[run.name].verdict.code
            for run in seen
        )
        total, same = total + len(seen), same + kept
        row(f"  {name}", f"{kept / len(seen):.1%}", "")
    row("all changes together", f"{same / max(total, 1):.1%}", ">= 97 %")


def print_corpus(runs: list[Run], verdicts: Verdicts) -> None:
    """Figures on public curves."""
    broken = [run for run in runs if scoring.is_broken(run)]
    sound = [run for run in runs if not scoring.is_broken(run)]
    delays = [scoring.broken_delay(run, verdicts[run.name]) for run in broken]
    known = [delay for delay in delays if delay is not None]
    false = sum(
        any(turn.code == "non_finite" for turn in verdicts[run.name].history) for run in sound
    )
    row("NaN and Inf: recall", f"{len(known) / max(len(broken), 1):.3f}", "1.0")
    row("NaN and Inf: false alarms", str(false), "0")
    row("NaN and Inf: delay in points, most", str(max(known, default=0)), "0")
    print_confidence(runs, verdicts)
    told, held = forecasts(runs)
    row("forecasts that hold the end of the run", f"{held / max(told, 1):.1%} of {told}", ">= 80 %")
    labelled = [run for run in runs if run.name.startswith(LABELLED)]
    if labelled:
        print_labelled(labelled, verdicts)


def forecasts(runs: list[Run]) -> tuple[int, int]:
    """How many forecasts were given along the runs, and how many hold the level at the end."""
    told = held = 0
    for run in runs:
        for share in FORECAST_AT:
            found = forecast_at(run, share)
            if found is not None:
                told, held = told + 1, held + found
    return told, held


def print_labelled(runs: list[Run], verdicts: Verdicts) -> None:
    """Overfitting or not, as the authors of the histories see it."""
    heading(f"overfitting or not: {len(runs)} labelled histories")
    final = {run.name: scoring.confirmed_overfitting(verdicts[run.name]) for run in runs}
    first = {
        run.name: next(
            (t.step for t in verdicts[run.name].history if t.code == "overfitting"), None
        )
        for run in runs
    }
    ours = scoring.overfit_figures(runs, final, first)
    row("macro-F1 on the finished run", f"{ours.macro_f1:.3f}", ">= 0.95")
    row("best epoch past at the first badge", f"{ours.live_share:.3f}", ">= 0.95")
    row("median delay after the best epoch", f"{ours.delay:g}", "<= 90")
    row("quiet runs ever called overfitting", f"{ours.false_alarms:.1%}", "")
    for patience in PATIENCES:
        stop = peers.early_stopping(patience)
        stopped = {run.name: stop(run) for run in runs}
        ended = {name: step is not None for name, step in stopped.items()}
        show_peer(f"early stopping, patience {patience}", runs, ended, stopped)
    rises = {run.name: peers.one_line(run) for run in runs}
    show_peer("one line: last 5 % > 1.036 x minimum", runs, rises, dict.fromkeys(rises))
    for name, ask in (("runmedic", peers.runmedic), ("trainspotter", peers.trainspotter)):
        if peers.installed(name) is None:
            row(name, peers.NOT_INSTALLED, "")
            continue
        said = {run.name: ask(run) for run in runs}
        named = {run: s is not None and "overfitting" in s.found for run, s in said.items()}
        show_peer(peers.version(name), runs, named, dict.fromkeys(named))


def show_peer(
    name: str, runs: list[Run], final: Mapping[str, bool], first: Mapping[str, int | None]
) -> None:
    """One line of another's figures."""
    theirs = scoring.overfit_figures(runs, final, first)
    live = f", live {theirs.live_share:.2f}, delay {theirs.delay:g}" if theirs.ever else ""
    row(f"  {name}", f"macro-F1 {theirs.macro_f1:.3f}{live}", "")


def heading(text: str) -> None:
    """A line above a block of figures."""
    print(f"\n{text}")


def row(name: str, found: str, reach: str) -> None:
    """One figure, with what it should reach."""
    print(f"  {name:52} {found:28} {reach}".rstrip())


if __name__ == "__main__":
    sys.exit(main())
