"""How good the diagnosis is, measured on real curves that stay outside the repository."""
