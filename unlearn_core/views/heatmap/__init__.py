"""Methods × tasks for one metric."""
