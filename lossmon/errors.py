"""What can go wrong that the user can do something about.

LossmonError
├── ConfigError   a setting is wrong: one line on stderr, exit status 2
├── ReadError     a file is corrupt from here on: its reader ends, the rest goes on
└── ThemeError    a theme cannot be used: reported once and skipped
"""

from __future__ import annotations


class LossmonError(Exception):
    """Something went wrong that a message to the user can explain."""


class ConfigError(LossmonError):
    """A setting is wrong; says which, where it came from and what is allowed."""


class ReadError(LossmonError):
    """A file cannot be read any further; says where and why."""


class ThemeError(LossmonError):
    """A theme file cannot be used; says which key and why."""
