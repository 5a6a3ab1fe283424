"""The nouns of session and their rules."""


class InvalidRequest(Exception):
    """A parameter breaks a rule; `field` says which."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field} {rule}")
        self.field = field
        self.rule = rule


class InvalidMessage(Exception):
    """A message breaks a rule; `field` says where."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field} {rule}")
        self.field = field
        self.rule = rule


class MissingFile(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(f"missing file {name}")
