// Streams that go on where they were when a connection breaks.

import { backOff, isPassing } from "./retrying.js";

/**
 * Give what a server sends, and open the stream anew behind the last item whenever it breaks.
 *
 * It ends when the caller leaves the loop or aborts, or with the error that a new try cannot mend.
 */
export async function* resumed<Item>(
  open: (behind: Item | undefined, signal: AbortSignal) => AsyncIterable<Item>,
  signal?: AbortSignal,
): AsyncGenerator<Item, void, undefined> {
  const left = new AbortController();
  const either = signal ? AbortSignal.any([signal, left.signal]) : left.signal;
  let last: Item | undefined;
  try {
    for (let failures = 0; ; failures++) {
      try {
        for await (const item of open(last, either)) {
          last = item;
          failures = 0;
          yield item;
        }
      } catch (error) {
        if (either.aborted || !isPassing(error)) throw error;
      }
      await backOff(failures, either);
    }
  } finally {
    left.abort();
  }
}
