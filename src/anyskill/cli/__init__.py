"""The command line: one short file a verb that parses, calls, and prints."""
