"""Disk: artifacts on disks, and the public way out for every file."""
