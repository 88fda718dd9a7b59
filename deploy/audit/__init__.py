"""The audit: one file per invariant, each reading on its own, over the four databases and the log.

It reads with its own SQL, its own consumer and its own folds, and imports no service: two ways of counting agree, or one is wrong.
"""
