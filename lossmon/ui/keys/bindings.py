"""Every key of the screen: its id, what it does, and which of them the footer shows."""

from __future__ import annotations

from dataclasses import replace

from textual.binding import Binding

BINDINGS: tuple[Binding, ...] = (
    Binding("d", "diagnosis", "diagnosis", id="view.diagnosis", tooltip="Verdict, why, what next"),
    Binding("l", "log", "log", id="view.log", tooltip="The log full screen"),
    Binding("u", "outputs", "outputs", id="view.outputs", tooltip="Answers of the model"),
    Binding("r", "runs", "runs", id="view.runs", tooltip="All runs at once"),
    Binding("w", "write", "write", id="view.write", tooltip="Write page, points, picture"),
    Binding("i", "names", "names", id="view.names", tooltip="Say what unclear names mean"),
    Binding("c", "compare", "compare", id="view.compare", tooltip="Runs over each other"),
    Binding("question_mark", "help", "help", id="view.help", tooltip="These keys"),
    Binding(
        "left_square_bracket", "next_run(-1)", "previous", id="run.previous", tooltip="Previous run"
    ),
    Binding("right_square_bracket", "next_run(1)", "next", id="run.next", tooltip="Next run"),
    Binding("space", "freeze", "freeze", id="run.freeze", tooltip="Freeze the data, go on"),
    Binding("y", "log_axis", "log axis", id="chart.log", tooltip="Logarithmic loss axis"),
    Binding(
        "plus,equals_sign",
        "smooth(1)",
        "smooth",
        id="chart.smoother",
        key_display="+/-",
        tooltip="Smooth more",
    ),
    Binding("minus", "smooth(-1)", "rawer", id="chart.rawer", tooltip="Smooth less"),
    Binding("0", "smooth(0)", "raw", id="chart.raw", tooltip="No smoothing, and back"),
    Binding("x", "x_axis", "axis", id="chart.x", tooltip="Step, epoch, time or tokens"),
    Binding("o", "outliers", "outliers", id="chart.outliers", tooltip="Range with outliers"),
    Binding("a", "own_range", "ranges", id="chart.ranges", tooltip="Own or shared loss range"),
    Binding("g", "recent", "recent", id="chart.recent", tooltip="Newest part or all of the run"),
    Binding("v", "overlay", "overlay", id="chart.overlay", tooltip="Train and eval in one pane"),
    Binding("1", "pane('train')", "train", id="pane.train", tooltip="Train loss"),
    Binding("2", "pane('eval')", "eval", id="pane.eval", tooltip="Eval loss"),
    Binding("3", "pane('metrics')", "metrics", id="pane.metrics", tooltip="Metrics"),
    Binding("4", "pane('hardware')", "hardware", id="pane.hardware", tooltip="Hardware"),
    Binding("5", "pane('log')", "log", id="pane.log", tooltip="Log"),
    Binding("6", "pane('verdicts')", "verdicts", id="pane.verdicts", tooltip="Verdict history"),
    Binding("t", "theme", "theme", id="app.theme", tooltip="Try the themes on"),
    Binding(
        "ctrl+p,colon", "palette", "commands", id="app.palette", tooltip="Every action by name"
    ),
    Binding("q", "quit", "quit", id="app.quit", tooltip="Quit"),
)
"""In the order of the help."""

FOOTER = (
    "view.diagnosis",
    "pane.open",
    "chart.log",
    "chart.smoother",
    "chart.x",
    "chart.outliers",
    "view.help",
    "view.runs",
    "view.outputs",
    "view.compare",
    "chart.recent",
    "view.log",
    "run.freeze",
    "app.theme",
    "app.quit",
)
"""What the footer shows, the most wanted first."""


def footer(bindings: tuple[Binding, ...], remapped: dict[str, str]) -> list[Binding]:
    """The bindings of the footer with the keys that the user gave them."""
    known = {binding.id: binding for binding in bindings}
    chosen = [known[id] for id in FOOTER if id in known]
    return [
        replace(one, key=remapped[one.id], key_display=None) if one.id in remapped else one
        for one in chosen
    ]
