// What went wrong, in the words of the contracts.

import { Code, ConnectError } from "@connectrpc/connect";

import type { ErrorReason as DiskReason } from "./gen/acontext/disk/v1/disk_errors_pb.js";
import type { ErrorReason as ObserverReason } from "./gen/acontext/observer/v1/observer_errors_pb.js";
import type { ErrorReason as SessionReason } from "./gen/acontext/session/v1/session_errors_pb.js";
import type { ErrorReason as SpaceReason } from "./gen/acontext/space/v1/space_errors_pb.js";
import { BadRequestSchema, ErrorInfoSchema } from "./gen/google/rpc/error_details_pb.js";

/** Every reason that a service of ours gives; `proto/acontext/<service>/v1` explains each. */
export type Reason = Exclude<
  | keyof typeof SessionReason
  | keyof typeof DiskReason
  | keyof typeof ObserverReason
  | keyof typeof SpaceReason,
  "UNSPECIFIED"
>;

/** A rule that a request broke, and where. */
export interface FieldViolation {
  /** Path of the field, such as `token_budget` or `blob.content[2].type`. */
  field: string;
  description: string;
}

/** Whatever this client throws. */
export class AcontextError extends Error {
  override name = "AcontextError";
}

/** The server refused a call, and says why. */
export class APIError extends AcontextError {
  override name = "APIError";
  /** What HTTP calls it: 400, 401, 403, 404, 409, 413, 416, 429, 500, 501, 503 or 504. */
  readonly statusCode: number;
  /** As statusCode; what an answer of the REST dialect has in `code`. */
  readonly code: number;
  /** The stable reason; undefined where something in front of the services refused. */
  readonly reason: Reason | undefined;
  /** As reason, under the name of the REST dialect. */
  readonly error: string | undefined;
  /** The fields that broke a rule; empty unless the request was at fault. */
  readonly fields: readonly FieldViolation[];
  /** Ids and limits that belong to the reason. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What the server's log calls this call, if the answer told. */
  readonly requestId: string | undefined;

  constructor(told: Refusal) {
    super(told.message, { cause: told.cause });
    this.statusCode = told.statusCode;
    this.code = told.statusCode;
    // A newer server may have reasons that this client does not list; they are told all the same.
    this.reason = told.reason as Reason | undefined;
    this.error = told.reason;
    this.fields = told.fields ?? [];
    this.metadata = told.metadata ?? {};
    this.requestId = told.requestId;
  }
}

/** What an APIError is made of. */
export interface Refusal {
  message: string;
  statusCode: number;
  reason?: string | undefined;
  fields?: readonly FieldViolation[];
  metadata?: Readonly<Record<string, string>>;
  requestId?: string | undefined;
  cause?: unknown;
}

/** No answer came: the network broke, the time was over, or the caller stopped waiting. */
export class TransportError extends AcontextError {
  override name = "TransportError";
}

/** Return the stable reason of an error of ours, such as `SESSION_NOT_FOUND`; others have none. */
export function reasonOf(error: unknown): Reason | undefined {
  if (error instanceof APIError) return error.reason;
  const info = ConnectError.from(error).findDetails(ErrorInfoSchema)[0];
  return info?.reason as Reason | undefined;
}

/** Make this client's error of whatever a transport threw. */
export function errorFrom(thrown: unknown): AcontextError {
  if (thrown instanceof AcontextError) return thrown;
  const error = ConnectError.from(thrown);
  const info = error.findDetails(ErrorInfoSchema)[0];
  if (!info && UNANSWERED.includes(error.code)) {
    return new TransportError(error.rawMessage, { cause: error });
  }
  const violations = error.findDetails(BadRequestSchema).flatMap((one) => one.fieldViolations);
  return new APIError({
    message: error.rawMessage,
    statusCode: info?.reason === "TOO_LARGE" ? 413 : STATUS_CODES[error.code],
    reason: info?.reason,
    fields: fieldsOf(violations, info?.metadata["field"], error.rawMessage),
    metadata: info?.metadata ?? {},
    requestId: error.metadata.get("x-request-id") ?? undefined,
    cause: error,
  });
}

function fieldsOf(
  violations: readonly FieldViolation[],
  named: string | undefined,
  message: string,
): readonly FieldViolation[] {
  if (violations.length > 0) {
    return violations.map(({ field, description }) => ({ field, description }));
  }
  return named === undefined ? [] : [{ field: named, description: message }];
}

// What Connect says when nobody said anything.
const UNANSWERED = [Code.Unknown, Code.Canceled, Code.DeadlineExceeded];

const STATUS_CODES: Record<Code, number> = {
  [Code.Canceled]: 499,
  [Code.Unknown]: 500,
  [Code.InvalidArgument]: 400,
  [Code.DeadlineExceeded]: 504,
  [Code.NotFound]: 404,
  [Code.AlreadyExists]: 409,
  [Code.PermissionDenied]: 403,
  [Code.ResourceExhausted]: 429,
  [Code.FailedPrecondition]: 400,
  [Code.Aborted]: 409,
  [Code.OutOfRange]: 416,
  [Code.Unimplemented]: 501,
  [Code.Internal]: 500,
  [Code.Unavailable]: 503,
  [Code.DataLoss]: 500,
  [Code.Unauthenticated]: 401,
};
