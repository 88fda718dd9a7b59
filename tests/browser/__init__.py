"""What its fixtures start (a browser, a toy site, an OPCO’s desk) ends with this folder: for pytest a package is what has this file."""
