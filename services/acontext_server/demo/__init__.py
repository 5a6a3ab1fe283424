"""The product told on one screen, through its gateway and with nothing but the public stubs."""
