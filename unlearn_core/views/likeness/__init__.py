"""More like this: the training examples that are most like each one, in what a network makes of them."""
