"""The world that `bot demo` plays in: a sample service, hosts that run it, routers before them."""
