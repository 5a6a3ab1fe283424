// What went wrong, as a person reads it.

import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema } from "@gen/google/rpc/error_details_pb";

/** An error of an RPC in words, with what helps to find it in the log. */
export interface Explained {
  sentence: string;
  /** The stable reason, such as `SESSION_NOT_FOUND`. */
  reason?: string | undefined;
  requestId?: string | undefined;
  /** The thing does not exist; trying again will not help. */
  isMissing: boolean;
}

export function explain(error: unknown): Explained {
  const connect = ConnectError.from(error);
  const info = connect.findDetails(ErrorInfoSchema)[0];
  return {
    sentence: sentenceOf(connect),
    reason: info?.reason,
    requestId: connect.metadata.get("x-request-id") ?? undefined,
    isMissing: connect.code === Code.NotFound,
  };
}

/** Say whether a read that failed may succeed in a moment. */
export function isWorthRetrying(error: unknown): boolean {
  const { code } = ConnectError.from(error);
  return code === Code.Unavailable || code === Code.Unknown || code === Code.DeadlineExceeded;
}

/** Say whether a stream that broke should be opened again. */
export function isLasting(error: unknown): boolean {
  const { code } = ConnectError.from(error);
  return (
    code === Code.NotFound ||
    code === Code.Unauthenticated ||
    code === Code.PermissionDenied ||
    code === Code.InvalidArgument
  );
}

function sentenceOf(error: ConnectError): string {
  const said = error.rawMessage.trim();
  if (error.code === Code.Unknown && /fetch|network/i.test(said)) {
    return "The gateway does not answer. Is Acontext running?";
  }
  const sentence = said === "" ? "Something went wrong" : said;
  return (
    sentence.charAt(0).toUpperCase() + sentence.slice(1) + (/[.!?]$/.test(sentence) ? "" : ".")
  );
}
