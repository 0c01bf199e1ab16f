"""The screen in a browser: `lossmon serve`."""
