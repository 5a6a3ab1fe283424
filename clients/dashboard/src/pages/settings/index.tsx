// What a project has decided, who may act for it, and how the system is.

import { getRouteApi, Link } from "@tanstack/react-router";

import { PageHead } from "../../components/basics";
import { SETTINGS_TABS } from "../../router";
import { Keys } from "./keys";
import { Project } from "./project";
import { System } from "./system";
import { Tools } from "./tools";
import { Users } from "./users";

const route = getRouteApi("/settings");

const TABS = {
  project: ["Project", Project],
  keys: ["Keys", Keys],
  users: ["Users", Users],
  tools: ["Tool names", Tools],
  system: ["System", System],
} as const;

export function Settings() {
  const { tab = "project" } = route.useSearch();
  const [, Page] = TABS[tab];
  return (
    <>
      <PageHead title="Settings" />
      <nav className="tabs" aria-label="Settings">
        {SETTINGS_TABS.map((name) => (
          <Link
            key={name}
            to="/settings"
            search={{ tab: name }}
            className="tab"
            activeProps={{ "aria-current": tab === name ? "page" : undefined }}
            aria-current={tab === name ? "page" : undefined}
          >
            {TABS[name][0]}
          </Link>
        ))}
      </nav>
      <Page />
    </>
  );
}
