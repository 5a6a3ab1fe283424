"""Session: projects, keys, users, sessions and the messages that agents say."""
