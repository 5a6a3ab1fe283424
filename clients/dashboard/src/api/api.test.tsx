import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { TransportProvider } from "@connectrpc/connect-query";
import { ListMessagesResponseSchema } from "@gen/acontext/session/v1/session_messages_pb";
import { SessionService } from "@gen/acontext/session/v1/session_service_pb";
import { ErrorInfoSchema } from "@gen/google/rpc/error_details_pb";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { renderHook, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { describe, expect, it } from "vitest";

import { explain, isLasting, isWorthRetrying } from "./errors";
import { useLog } from "./sessions";

describe("errors", () => {
  it("are sentences with their reason and request id", () => {
    const info = {
      desc: ErrorInfoSchema,
      value: create(ErrorInfoSchema, { reason: "SESSION_NOT_FOUND" }),
    };
    const error = new ConnectError("no session 1", Code.NotFound, { "x-request-id": "r1" }, [info]);
    expect(explain(error)).toEqual({
      sentence: "No session 1.",
      reason: "SESSION_NOT_FOUND",
      requestId: "r1",
      isMissing: true,
    });
  });

  it("tell what passes from what lasts", () => {
    const gone = new ConnectError("x", Code.Unavailable);
    const missing = new ConnectError("x", Code.NotFound);
    expect([isWorthRetrying(gone), isWorthRetrying(missing)]).toEqual([true, false]);
    expect([isLasting(gone), isLasting(missing)]).toEqual([false, true]);
  });
});

const TOTAL = 1_000;

/** A log of 1,000 messages that counts what is asked of it. */
function served() {
  const asked: number[] = [];
  const message = (sequence: number) => ({ id: String(sequence), sequence, sessionId: "s" });
  const transport = createRouterTransport(({ service }) => {
    service(SessionService, {
      listMessages: ({ afterSequence, limit }) => {
        asked.push(afterSequence);
        const items = Array.from({ length: limit ?? 0 }, (_, index) =>
          message(afterSequence + index + 1),
        );
        return { items: items.filter(({ sequence }) => sequence <= TOTAL) };
      },
      async *watchSession({ afterSequence }) {
        yield { message: message(afterSequence + 1) };
        await new Promise(() => undefined);
      },
    });
  });
  return { asked, transport };
}

describe("a log", () => {
  it("fetches only the pages in sight, and takes what is stored meanwhile", async () => {
    const { asked, transport } = served();
    const wrapper = ({ children }: { children: ReactNode }) => (
      <TransportProvider transport={transport}>
        <QueryClientProvider client={new QueryClient()}>{children}</QueryClientProvider>
      </TransportProvider>
    );
    const { result } = renderHook(() => useLog("s", NEWEST, SEEN), { wrapper });
    await waitFor(() => expect(result.current.at(250)?.sequence).toBe(250));
    expect([...new Set(asked)].sort((a, b) => a - b)).toEqual([200, 300]);
    await waitFor(() => expect(result.current.total).toBe(TOTAL + 1));
    expect(result.current.at(TOTAL + 1)?.sequence).toBe(TOTAL + 1);
    expect(result.current.at(5)).toBeUndefined();
  });
});

const SEEN = { first: 240, last: 310 };
const NEWEST = create(ListMessagesResponseSchema, { items: [{ sequence: TOTAL }] });
