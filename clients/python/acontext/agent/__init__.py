"""Tools for agents as the published SDK offers them; `client.tools.disk` is the shorter way."""
