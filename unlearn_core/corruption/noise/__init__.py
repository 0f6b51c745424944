"""Label noise that is neither uniform nor one pair of classes, and images that are damaged while their labels stay right."""
