"""Running the product: on one machine (`local/`), from the command line (`cli/`), checked (`audit/`), shown (`demo/`)."""
