"""Production has no default: what must not be is a table of rules, and a process that breaks one does not start."""
