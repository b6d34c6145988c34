"""The program: the only place where everything is put together."""
