"""Key bindings and the keymap."""
