"""Unlearning methods, one file each; a file that registers a class here is in the app, the command line and the tests."""

from unlearn_core.methods.base import Method, MethodParams, OracleTask, Region, UnlearningTask, registry
from unlearn_core.methods.shared.preference import accuracy_on, bounded_loss, lower_forget_accuracy

register = registry.register

__all__ = [
    "Method",
    "MethodParams",
    "OracleTask",
    "Region",
    "UnlearningTask",
    "accuracy_on",
    "bounded_loss",
    "lower_forget_accuracy",
    "register",
    "registry",
]
