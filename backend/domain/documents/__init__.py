"""Documents: the private proof that a professional uploads."""
