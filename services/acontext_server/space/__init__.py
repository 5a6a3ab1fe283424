"""Space learns skills from completed tasks, keeps them in a tree, and answers searches."""
