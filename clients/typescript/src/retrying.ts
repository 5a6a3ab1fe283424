// When a call is tried again, and how long to wait before.

import { Code, ConnectError } from "@connectrpc/connect";

import { APIError, errorFrom } from "./errors.js";

const AWAY_OR_RACED = [503, 409];
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 3_000;

/** Say whether the same call may succeed in a moment. */
export function isPassing(thrown: unknown): boolean {
  const error = errorFrom(thrown);
  if (error instanceof APIError) return AWAY_OR_RACED.includes(error.statusCode);
  // A connection that breaks has no code of its own; one that the caller broke has.
  return ConnectError.from(error.cause).code === Code.Unknown;
}

/** Wait before a try, longer before each and never as long as the others that wait too. */
export async function backOff(triesBefore: number, signal?: AbortSignal): Promise<void> {
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** triesBefore);
  await sleep(Math.random() * longest, signal);
}

/** Make a call, and make it again up to `retries` times while what stops it is passing. */
export async function retrying<T>(
  call: () => Promise<T>,
  { retries, signal }: { retries: number; signal?: AbortSignal },
): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await call();
    } catch (error) {
      if (tries >= retries || signal?.aborted || !isPassing(error)) throw error;
    }
    await backOff(tries, signal);
  }
}

function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
  });
}
