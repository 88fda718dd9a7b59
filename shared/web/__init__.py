"""The frame of every screen: layout, forms, French typography, assets, and the way from a form to a command; see README.md."""
