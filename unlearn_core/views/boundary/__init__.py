"""The decision boundary: regions of classes over one plane, with the examples on it, round by round."""
