"""People and programs: the command line, exports, and later the API and the pages."""
