"""Pages of the docs site that are made from the code while the site is built, so that they cannot drift from it."""
