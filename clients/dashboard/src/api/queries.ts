// What the hooks of all resources share.

import type { DescService } from "@bufbuild/protobuf";
import { createConnectQueryKey } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useState } from "react";

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
