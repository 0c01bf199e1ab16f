"""Every key of the screen, by what it is for: what the help lists and the settings may change."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from textual.binding import Binding

from lossmon.ui import screens
from lossmon.ui.keys.bindings import BINDINGS
from lossmon.ui.screens.dashboard import Dashboard
from lossmon.ui.screens.page import Page
from lossmon.ui.screens.view import View
from lossmon.ui.widgets.metrics import Metrics
from lossmon.ui.widgets.pane import LossPane

GROUPS = {
    "view": "Views",
    "run": "Run",
    "chart": "Charts",
    "pane": "Panes",
    "page": "Pages",
    "app": "lossmon",
}
"""First part of the id of a binding that works in several views, and what its group is called."""


def catalogue() -> dict[str, list[Binding]]:
    """Bindings by the name of their group: those of several views first, then view by view."""
    shared = (BINDINGS, LossPane.BINDINGS, Metrics.BINDINGS, Dashboard.BINDINGS, Page.BINDINGS)
    groups: dict[str, list[Binding]] = {title: [] for title in GROUPS.values()}
    for table in shared:
        for one in table:
            if isinstance(one, Binding):
                groups[GROUPS[(one.id or "").split(".")[0]]].append(one)
    for view in sorted(views(), key=lambda view: view.title_word):
        own = [one for one in vars(view).get("BINDINGS", ()) if isinstance(one, Binding)]
        if own and view not in (Page, Dashboard):
            groups.setdefault(view.title_word, []).extend(own)
    return {title: found for title, found in groups.items() if found}


def views() -> Iterator[type[View]]:
    """Every view that there is: each lives in a module of its own."""
    for module in pkgutil.iter_modules(screens.__path__, screens.__name__ + "."):
        for one in vars(importlib.import_module(module.name)).values():
            if isinstance(one, type) and issubclass(one, View) and one.__module__ == module.name:
                yield one
