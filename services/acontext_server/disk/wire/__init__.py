"""Between our nouns and what travels: messages, uploads in pieces, downloads in pieces."""
