"""Changes to TOML files that the user writes by hand."""
