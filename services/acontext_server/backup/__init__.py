"""Carrying a whole installation, or one project, from anywhere to anywhere: decision 0042.

Each service says what it holds; nothing here knows a table by its name but that of projects.
"""
