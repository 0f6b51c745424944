"""What every component must do, as checks: the tests apply them to the product's own, ``check-plugin`` to everybody else's."""
