"""Methods that go on training."""
