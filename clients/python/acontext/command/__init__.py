"""The command line: `acontext`."""
