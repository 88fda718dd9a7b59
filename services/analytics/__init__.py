"""Analytics: what is counted, and how to check it."""
