"""Events and their results, as each source states them."""
