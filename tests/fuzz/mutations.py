"""Damage to the bytes of a file, as crashes, full disks, bugs and attackers cause it."""

from __future__ import annotations

import gzip
import random
import re
import zlib
from collections.abc import Callable

Mutation = Callable[[random.Random, bytes], bytes]

NUMBERS = (
    *(b"nan", b"-inf", b"1e999", b"-0.0", b"5e-324", b"1.7976931348623157e308", b"nan%", b"5%"),
    *(b"99999999999999999999", b"-1", b"18446744073709551616", b"9223372036854775807", b"0x1f"),
    *(b"1_000", b"1,5", b"1'000", "½".encode(), "٣".encode(), b"9" * 5000, b"", b"null", b"true"),
)
"""What may stand where a number was."""

TEXTS = (
    *(b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\r\n", b"\x1b[2J\x1b]0;x\x07", b"\t" * 200),
    *(
        "\u202e".encode(),
        "\u2028".encode(),
        b'"',
        b"'",
        b",",
        b"{",
        b"}",
        b"[" * 3000,
        b"|",
        b"=" * 99,
    ),
    *(
        b'{"a":' * 2000,
        b"step",
        b"epoch 1/2",
        b"loss:",
        b"\n\n\n",
        b"Traceback (most recent call last):",
    ),
    *(b",".join([b"c"] * 4000) + b"\n", b"CUDA out of memory\n", b"100%|##########| 10/10 [00:01]"),
)
"""What may stand anywhere."""


def cut(dice: random.Random, content: bytes) -> bytes:
    """Lose the end, as a full disk does."""
    return content[: dice.randrange(len(content) + 1)]


def flip(dice: random.Random, content: bytes) -> bytes:
    """Change some bytes."""
    changed = bytearray(content)
    for _ in range(dice.randint(1, 20)):
        if changed:
            changed[dice.randrange(len(changed))] = dice.choice((0, 0xFF, dice.randrange(256)))
    return bytes(changed)


def hole(dice: random.Random, content: bytes) -> bytes:
    """Zero a stretch, as a crash of the machine does."""
    start, end = sorted(dice.randrange(len(content) + 1) for _ in range(2))
    return content[:start] + bytes(end - start) + content[end:]


def shuffle(dice: random.Random, content: bytes) -> bytes:
    """Drop, repeat and exchange lines, as two writers do."""
    lines = content.splitlines(keepends=True)
    for _ in range(dice.randint(1, 10)):
        if lines:
            at = dice.randrange(len(lines))
            line = lines.pop(at)
            to = dice.randrange(len(lines) + 1)
            lines[to:to] = [line] * dice.randint(0, 3)
    return b"".join(lines)


def renumber(dice: random.Random, content: bytes) -> bytes:
    """Put other numbers where numbers were."""
    share = dice.choice((0.01, 0.1, 1.0))

    def other(match: re.Match[bytes]) -> bytes:
        return dice.choice(NUMBERS) if dice.random() < share else match[0]

    return re.sub(rb"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?", other, content)


def insert(dice: random.Random, content: bytes) -> bytes:
    """Put texts where they do not belong."""
    for _ in range(dice.randint(1, 5)):
        at = dice.randrange(len(content) + 1)
        content = content[:at] + dice.choice(TEXTS) + content[at:]
    return content


def repeat(dice: random.Random, content: bytes) -> bytes:
    """Append the file to itself, as a restarted job does."""
    return content * dice.randint(2, 4)


def encode(dice: random.Random, content: bytes) -> bytes:
    """Write it in another encoding, or compress it."""
    kind = dice.choice(("utf-16", "utf-32", "latin", "gzip", "zlib", "bomb"))
    if kind == "gzip":
        return gzip.compress(content)
    if kind == "zlib":
        return zlib.compress(content)
    if kind == "bomb":
        return gzip.compress(bytes(1 << 24))
    if kind == "latin":
        return content.replace(b"e", b"\xe9")
    return content.decode("utf-8", "replace").encode(kind)


MUTATIONS: tuple[Mutation, ...] = (
    cut, flip, hole, shuffle, renumber, renumber, insert, repeat, encode
)  # fmt: skip


def mutated(dice: random.Random, content: bytes) -> bytes:
    """Damage a file once or several times."""
    for _ in range(dice.choice((1, 1, 2, 3))):
        content = dice.choice(MUTATIONS)(dice, content)
    return content[: 1 << 21]
