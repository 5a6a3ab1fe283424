// Server streams that come back after a pause, where they were.

import { useEffect, useRef } from "react";

import { isLasting } from "./errors";
import { useIsVisible } from "./queries";

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Read a stream for as long as the page is in front, again after it broke, until it ends for good.
 *
 * A browser has six connections for each address, so a page in the background gives its own away.
 * `open` begins where the last item left off.
 */
export function useStream<Item>(
  key: string | undefined,
  open: (signal: AbortSignal) => AsyncIterable<Item>,
  take: (item: Item) => void,
  onEnd?: (error: unknown) => void,
): void {
  const visible = useIsVisible();
  const latest = useRef({ open, take, onEnd });
  latest.current = { open, take, onEnd };
  useEffect(() => {
    if (key === undefined || !visible) return;
    const stop = new AbortController();
    void follow(stop.signal, latest);
    return () => stop.abort();
  }, [key, visible]);
}

interface Reader<Item> {
  open: (signal: AbortSignal) => AsyncIterable<Item>;
  take: (item: Item) => void;
  onEnd?: ((error: unknown) => void) | undefined;
}

async function follow<Item>(signal: AbortSignal, reader: { current: Reader<Item> }): Promise<void> {
  let pause = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    try {
      for await (const item of reader.current.open(signal)) {
        pause = FIRST_PAUSE_MS;
        if (!signal.aborted) reader.current.take(item);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (isLasting(error)) return reader.current.onEnd?.(error);
    }
    await elapsed(pause, signal);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

function elapsed(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
