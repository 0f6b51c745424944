"""Data health: what is worth knowing of a training set before anything is trained on it, whatever its labels say.

Every finding is a group of training examples with the threshold that it goes by. Nothing here sees which labels are right.
"""
