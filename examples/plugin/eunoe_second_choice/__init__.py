"""A plug-in package for Eunoe with one method; its entry point names the module that registers it."""
