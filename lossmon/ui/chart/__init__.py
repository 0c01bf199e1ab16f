"""Charts: model, layout and painting, without a widget."""
