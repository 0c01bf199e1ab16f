"""Runs on other machines and in object stores, mirrored into a directory as they grow."""
