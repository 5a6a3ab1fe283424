// Streams that go on where they were when a connection breaks.

import { backOff, isPassing } from "./retrying.js";

/**
 * Give what a server sends, and open the stream anew whenever it breaks.
 *
 * What is given is as the server sent it: whoever asks keeps where to go on, and reads it outside,
 * so that a mistake in reading is not taken for a broken connection. It ends when the caller leaves
 * the loop or aborts, or with the error that a new try cannot mend.
 */
export async function* resumed<Answer>(
  open: (signal: AbortSignal) => AsyncIterable<Answer>,
  signal?: AbortSignal,
): AsyncGenerator<Answer, void, undefined> {
  const left = new AbortController();
  const either = signal ? AbortSignal.any([signal, left.signal]) : left.signal;
  try {
    for (let failures = 0; ; failures++) {
      try {
        for await (const answer of open(either)) {
          failures = 0;
          yield answer;
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
