"""What can go wrong for a caller of space."""

from uuid import UUID

from acontext_server.kit.errors import FieldViolation, Kind, ServiceError


class SpaceNotFound(ServiceError):
    """No space has this id in the caller's project."""

    kind = Kind.NOT_FOUND
    reason = "SPACE_NOT_FOUND"

    def __init__(self, space_id: UUID) -> None:
        super().__init__(f"space {space_id} not found", metadata={"space_id": str(space_id)})


class BlockNotFound(ServiceError):
    """The space has no block with this id."""

    kind = Kind.NOT_FOUND
    reason = "BLOCK_NOT_FOUND"

    def __init__(self, block_id: UUID) -> None:
        super().__init__(f"block {block_id} not found", metadata={"block_id": str(block_id)})


class InvalidBlock(ServiceError):
    """The block cannot stand there, or its title or props are none of its type."""

    kind = Kind.INVALID_ARGUMENT
    reason = "INVALID_BLOCK"

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(
            f"{field}: {rule}",
            metadata={"field": field},
            violations=[FieldViolation(field=field, description=rule)],
        )


class SkillNotFound(ServiceError):
    """No skill has this id in the caller's project."""

    kind = Kind.NOT_FOUND
    reason = "SKILL_NOT_FOUND"

    def __init__(self, skill_id: UUID) -> None:
        super().__init__(f"skill {skill_id} not found", metadata={"skill_id": str(skill_id)})


class RunNotFound(ServiceError):
    """No run has this id in the caller's project."""

    kind = Kind.NOT_FOUND
    reason = "RUN_NOT_FOUND"

    def __init__(self, run_id: UUID) -> None:
        super().__init__(f"run {run_id} not found", metadata={"run_id": str(run_id)})


class ConfirmationNotFound(ServiceError):
    """No confirmation with this id waits in the space."""

    kind = Kind.NOT_FOUND
    reason = "CONFIRMATION_NOT_FOUND"

    def __init__(self, confirmation_id: UUID) -> None:
        super().__init__(
            f"confirmation {confirmation_id} not found",
            metadata={"confirmation_id": str(confirmation_id)},
        )


class ModelRequired(ServiceError):
    """Agentic search needs a model, and none is set."""

    kind = Kind.FAILED_PRECONDITION
    reason = "MODEL_REQUIRED"

    def __init__(self) -> None:
        super().__init__(
            "mode: agentic search needs a model; set ACONTEXT_MODEL_URL or use mode fast",
            metadata={"setting": "ACONTEXT_MODEL_URL"},
        )


class TokenBudgetUsedUp(ServiceError):
    """Models pause: the project's token budget of this month is used up."""

    kind = Kind.RESOURCE_EXHAUSTED
    reason = "TOKEN_BUDGET_USED_UP"

    def __init__(self, month: str, budget: int) -> None:
        super().__init__(
            f"the token budget of {month} is used up ({budget}); raise monthly_token_budget, or"
            " wait for the next month",
            metadata={"month": month, "budget": str(budget)},
        )


class EmbeddingSpaceMismatch(ServiceError):
    """The vectors were made by another embedder."""

    kind = Kind.FAILED_PRECONDITION
    reason = "EMBEDDING_SPACE_MISMATCH"

    def __init__(self, index: str, embedder: str) -> None:
        super().__init__(
            f"the vectors were made by {index or 'nobody'}, the embedder is {embedder}: set the"
            " former ACONTEXT_EMBEDDER_URL, or run python -m acontext_server.space.reindex",
            metadata={"index": index, "embedder": embedder},
        )


class SessionNotFound(ServiceError):
    """No session has this id in the caller's project."""

    kind = Kind.NOT_FOUND
    reason = "SESSION_NOT_FOUND"

    def __init__(self, session_id: UUID) -> None:
        super().__init__(
            f"session {session_id} not found", metadata={"session_id": str(session_id)}
        )
