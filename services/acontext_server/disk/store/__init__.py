"""Tables and every query: disks, artifacts, and which bytes are needed."""
