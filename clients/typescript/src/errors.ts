// What went wrong, in the words of the contracts.

import { ConnectError } from "@connectrpc/connect";

import { ErrorInfoSchema } from "./gen/google/rpc/error_details_pb.js";

/** Return the stable reason of an error of ours, such as `SESSION_NOT_FOUND`; others have none. */
export function reasonOf(error: unknown): string | undefined {
  return ConnectError.from(error).findDetails(ErrorInfoSchema)[0]?.reason;
}
