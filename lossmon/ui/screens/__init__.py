"""The views: one family, one scene feeds them all."""
