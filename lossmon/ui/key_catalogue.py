"""Key catalogue: every key of the screen by group, for the help and for the settings."""

from __future__ import annotations

from textual.binding import Binding

from lossmon.ui.keys import BINDINGS, GROUPS, in_groups
from lossmon.ui.screens.base.page_screen import PageScreen
from lossmon.ui.screens.dashboard import Dashboard
from lossmon.ui.screens.media.base import MediaScreen
from lossmon.ui.views import VIEWS
from lossmon.ui.widgets.charts.pane import LossPane
from lossmon.ui.widgets.metrics import Metrics


def catalogue() -> dict[str, list[Binding]]:
    """Bindings by the title of their group: keys of several views first, then view by view."""
    opening = (view.binding for view in VIEWS if view.key)
    shared = (
        opening,
        BINDINGS,
        *(_own(one) for one in (LossPane, Metrics, Dashboard, PageScreen, MediaScreen)),
    )
    groups: dict[str, list[Binding]] = {title: [] for title in GROUPS.values()}
    for binding in in_groups(one for table in shared for one in table):
        groups[GROUPS[(binding.id or "").partition(".")[0]]].append(binding)
    for view in sorted(VIEWS, key=lambda view: view.title):
        groups.setdefault(view.title, []).extend(_own(view.screen_class()))
    return {title: found for title, found in groups.items() if found}


def ids() -> set[str]:
    """Ids of all actions that a key may be set for."""
    return {one.id for group in catalogue().values() for one in group if one.id}


def _own(owner: type) -> list[Binding]:
    """The bindings that a class adds to those of its bases."""
    return [one for one in vars(owner).get("BINDINGS", ()) if isinstance(one, Binding)]
