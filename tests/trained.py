"""The scenario with a trained original from which contract tests make fresh tasks, under the name that tests import."""

from unlearn_core.contracts.trained import Trained, train

__all__ = ["Trained", "train"]
