"""Views: one family, one scene feeds them all."""
