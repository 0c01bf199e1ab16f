"""Screen in a browser: `lossmon serve`."""
