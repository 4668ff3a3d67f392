"""The functional core: decisions as pure functions of their arguments; the standard library only."""
