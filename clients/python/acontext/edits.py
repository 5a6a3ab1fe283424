"""Edit strategies for `sessions.get_messages`, as functions whose options are checked by types."""

from collections.abc import Sequence

from .types.session import EditStrategy, RemoveToolCallParamsParams, RemoveToolResultParams


def remove_tool_results(
    *, keep_recent: int = 3, placeholder: str = "Done", keep_tools: Sequence[str] = ()
) -> EditStrategy:
    """Put a placeholder in place of all but the newest tool results."""
    params: RemoveToolResultParams = {
        "keep_recent_n_tool_results": keep_recent,
        "tool_result_placeholder": placeholder,
        "keep_tools": list(keep_tools),
    }
    return {"type": "remove_tool_result", "params": params}


def remove_tool_call_params(
    *, keep_recent: int = 3, keep_tools: Sequence[str] = ()
) -> EditStrategy:
    """Take the arguments away from all but the newest tool calls."""
    params: RemoveToolCallParamsParams = {
        "keep_recent_n_tool_calls": keep_recent,
        "keep_tools": list(keep_tools),
    }
    return {"type": "remove_tool_call_params", "params": params}


def token_limit(limit_tokens: int) -> EditStrategy:
    """Remove the oldest messages until at most so many tokens are left."""
    return {"type": "token_limit", "params": {"limit_tokens": limit_tokens}}


def middle_out(token_reduce_to: int) -> EditStrategy:
    """Remove messages from the middle until at most so many tokens are left."""
    return {"type": "middle_out", "params": {"token_reduce_to": token_reduce_to}}
