"""Where stages run: in this process, on an embedded cluster, or on any Dask scheduler by address."""
