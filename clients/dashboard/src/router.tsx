// Every page that a link can name, with what it keeps in the address.

import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
} from "@tanstack/react-router";

import type { Asking } from "./api/queries";
import { isDay } from "./components/days";
import { Layout } from "./components/layout";
import { ErrorState, NotFound } from "./components/states";

type Search = Record<string, unknown>;

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;
const oneOf = <T extends string>(words: readonly T[], value: unknown): T | undefined =>
  words.find((word) => word === value);
const dayIn = (search: Search) => {
  const day = text(search["day"]);
  return { day: day && isDay(day) ? day : undefined, zone: zoneIn(search) };
};
const zoneIn = (search: Search) => {
  const zone = text(search["zone"]);
  return zone && Intl.supportedValuesOf("timeZone").concat("UTC").includes(zone) ? zone : undefined;
};
/** Let every part of a search be left out by a link. */
const optional = <T extends object>(search: T): Partial<T> => search;

const root = createRootRouteWithContext<Asking>()({
  component: Layout,
  notFoundComponent: NotFound,
  errorComponent: ({ error, reset }) => <ErrorState error={error} retry={reset} />,
});

const RANGES = [30, 90] as const;

const overview = createRoute({
  getParentRoute: () => root,
  path: "/",
  validateSearch: (search: Search) =>
    optional({
      days: RANGES.find((days) => days === search.days),
      zone: zoneIn(search),
    }),
  component: lazyRouteComponent(() => import("./pages/overview"), "Overview"),
});

export const OBSERVING = ["observed", "pending", "failed"] as const;

const sessions = createRoute({
  getParentRoute: () => root,
  path: "/sessions",
  validateSearch: (search: Search) =>
    optional({
      user: text(search["user"]),
      begins: text(search["begins"]),
      ...dayIn(search),
      space: text(search["space"]),
      observing: oneOf(OBSERVING, search["observing"]),
      order: oneOf(["oldest"], search["order"]),
      cursor: text(search["cursor"]),
    }),
  loaderDeps: ({ search }) => search,
  loader: async ({ context, deps }) =>
    (await import("./api/sessions")).expectSessions(context, deps),
  component: lazyRouteComponent(() => import("./pages/sessions"), "Sessions"),
});

const session = createRoute({
  getParentRoute: () => root,
  path: "/sessions/$sessionId",
  validateSearch: (search: Search) =>
    optional({
      task: text(search["task"]),
      message: text(search["message"]),
    }),
  loader: async ({ context, params }) =>
    (await import("./api/sessions")).expectSession(context, params.sessionId),
  component: lazyRouteComponent(() => import("./pages/session"), "SessionPage"),
});

const tasks = createRoute({
  getParentRoute: () => root,
  path: "/tasks",
  validateSearch: (search: Search) =>
    optional({
      ...dayIn(search),
      status: oneOf(["success", "failed", "running", "pending"], search["status"]),
      cursor: text(search["cursor"]),
    }),
  component: lazyRouteComponent(() => import("./pages/tasks"), "ProjectTasks"),
});

const spaces = createRoute({
  getParentRoute: () => root,
  path: "/skills",
  validateSearch: (search: Search) =>
    optional({
      user: text(search["user"]),
      ...dayIn(search),
      kind: oneOf(["learned", "improved", "served"], search["kind"]),
      cursor: text(search["cursor"]),
    }),
  component: lazyRouteComponent(() => import("./pages/spaces"), "Spaces"),
});

const space = createRoute({
  getParentRoute: () => root,
  path: "/skills/$spaceId",
  validateSearch: (search: Search) =>
    optional({
      block: text(search["block"]),
      query: text(search["query"]),
      tool: text(search["tool"]),
      view: oneOf(["waiting"], search["view"]),
      archived: search["archived"] === true ? true : undefined,
    }),
  component: lazyRouteComponent(() => import("./pages/space"), "SpacePage"),
});

const skill = createRoute({
  getParentRoute: () => root,
  path: "/skills/$spaceId/$skillId",
  validateSearch: (search: Search) =>
    optional({
      version: typeof search["version"] === "number" ? search["version"] : undefined,
    }),
  component: lazyRouteComponent(() => import("./pages/skill"), "SkillPage"),
});

const runs = createRoute({
  getParentRoute: () => root,
  path: "/runs",
  validateSearch: (search: Search) =>
    optional({
      of: oneOf(["learning"], search["of"]),
      session: text(search["session"]),
      space: text(search["space"]),
      role: oneOf(["distiller", "librarian", "searcher"], search["role"]),
      outcome: oneOf(["success", "failed", "refused"], search["outcome"]),
      run: text(search["run"]),
    }),
  component: lazyRouteComponent(() => import("./pages/runs"), "Runs"),
});

const disks = createRoute({
  getParentRoute: () => root,
  path: "/disks",
  validateSearch: (search: Search) => optional({ user: text(search["user"]) }),
  component: lazyRouteComponent(() => import("./pages/disks"), "Disks"),
});

const disk = createRoute({
  getParentRoute: () => root,
  path: "/disks/$diskId",
  validateSearch: (search: Search) =>
    optional({
      path: text(search["path"]),
      file: text(search["file"]),
      grep: text(search["grep"]),
      glob: text(search["glob"]),
    }),
  component: lazyRouteComponent(() => import("./pages/disk"), "DiskPage"),
});

export const SETTINGS_TABS = ["project", "keys", "users", "tools", "system"] as const;

const settings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  validateSearch: (search: Search) => optional({ tab: oneOf(SETTINGS_TABS, search["tab"]) }),
  component: lazyRouteComponent(() => import("./pages/settings"), "Settings"),
});

const routeTree = root.addChildren([
  overview,
  sessions,
  session,
  tasks,
  spaces,
  space,
  skill,
  runs,
  disks,
  disk,
  settings,
]);

export function createAppRouter(context: Asking) {
  return createRouter({
    routeTree,
    context,
    defaultPreload: "intent",
    // Whether an answer is still fresh is for the queries to say.
    defaultPreloadStaleTime: 0,
    scrollRestoration: true,
  });
}

const A_LITTLE_LATER_MS = 300;

/** Fetch the code of all pages once the first one is drawn, so that going to another waits for none. */
export function fetchPagesLater(router: ReturnType<typeof createAppRouter>): void {
  const stop = router.subscribe("onRendered", () => {
    stop();
    setTimeout(() => requestIdleCallback(fetchAll), A_LITTLE_LATER_MS);
  });
  const fetchAll = async () => {
    for (const route of Object.values(router.routesById)) await router.loadRouteChunk(route);
  };
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
