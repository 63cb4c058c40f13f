"""Low-level controllers: what the body can do, learnt from motion capture."""
