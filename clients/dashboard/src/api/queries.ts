// What the hooks of all resources share.

import type {
  DescMessage,
  DescMethodUnary,
  DescService,
  MessageInitShape,
} from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import { createConnectQueryKey, createQueryOptions } from "@connectrpc/connect-query";
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useState } from "react";

/** What a route asks with before its page is there. */
export interface Asking {
  queries: QueryClient;
  transport: Transport;
}

/** Ask now for what a page will ask for when its code is there. */
export function expectAnswer<I extends DescMessage, O extends DescMessage>(
  { queries, transport }: Asking,
  method: DescMethodUnary<I, O>,
  input: MessageInitShape<I>,
): void {
  void queries.prefetchQuery(createQueryOptions(method, input, { transport }));
}

/** Give a function that has everything asked again that these services answered. */
export function useInvalidate(...services: DescService[]): () => Promise<void> {
  const queries = useQueryClient();
  // biome-ignore lint/correctness/useExhaustiveDependencies: services are constants of the caller
  return useCallback(async () => {
    await Promise.all(
      services.map((schema) =>
        queries.invalidateQueries({
          queryKey: createConnectQueryKey({ schema, cardinality: undefined }),
        }),
      ),
    );
  }, [queries]);
}

/** Say whether the page is in front: what runs all the time should not when nobody looks. */
export function useIsVisible(): boolean {
  const [visible, setVisible] = useState(() => document.visibilityState === "visible");
  useEffect(() => {
    const look = () => setVisible(document.visibilityState === "visible");
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);
  return visible;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isId(text: string): boolean {
  return UUID.test(text);
}
