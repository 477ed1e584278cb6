"""Subplans and executions of a `parallel.json`'s folder: what there is, what comes next, and papers with content."""
