"""Charts: the widget of a chart, its pointer, its titles, and the panes that hold it."""
