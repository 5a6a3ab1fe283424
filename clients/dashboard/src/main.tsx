// The composition root: transport, queries, routes.

import { TransportProvider } from "@connectrpc/connect-query";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { I18nProvider } from "react-aria-components";
import { createRoot } from "react-dom/client";

import { useAccounts } from "./account";
import { isWorthRetrying } from "./api/errors";
import { Toasts } from "./components/toasts";
import { SignIn } from "./pages/sign-in";
import { createAppRouter, fetchPagesLater } from "./router";
import "./styles.css";
import { createTransport } from "./transport";

const transport = createTransport();
const clients = new Map<string, QueryClient>();
const router = createAppRouter({ queries: new QueryClient(), transport });
fetchPagesLater(router);

function Root() {
  const { current } = useAccounts();
  if (!current) return <SignIn />;
  const queries = clientOf(current.projectId);
  return (
    // What one project's key has fetched must never show under another's.
    <QueryClientProvider client={queries} key={current.projectId}>
      <RouterProvider router={router} context={{ queries, transport }} />
    </QueryClientProvider>
  );
}

function clientOf(projectId: string): QueryClient {
  const client = clients.get(projectId) ?? createQueryClient();
  clients.set(projectId, client);
  return client;
}

function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 2_000,
        retry: (failures, error) => failures < 3 && isWorthRetrying(error),
        refetchOnWindowFocus: true,
      },
    },
  });
}

const place = document.getElementById("root");
if (!place) throw new Error("index.html has no #root");
createRoot(place).render(
  <StrictMode>
    {/* The build leaves out the controls' words in the browser's own language. */}
    <I18nProvider locale="en-US">
      <TransportProvider transport={transport}>
        <Root />
        <Toasts />
      </TransportProvider>
    </I18nProvider>
  </StrictMode>,
);
