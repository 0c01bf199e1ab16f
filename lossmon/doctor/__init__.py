"""`lossmon doctor`: can lossmon work here, how well, and what to do about it."""
