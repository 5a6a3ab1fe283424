// What stands around every page: where one can go, whose project it is, light or dark.

import { Link, Outlet, useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import {
  Button as AriaButton,
  Menu,
  MenuItem,
  MenuTrigger,
  Popover,
  Separator,
} from "react-aria-components";

import { signIn, signOut, useAccounts } from "../account";
import { useProject } from "../api/projects";
import { AddProject } from "../pages/sign-in";
import { IconButton } from "./basics";
import { Icon, type IconName } from "./icon";
import { useTheme } from "./theme";

const PLACES: readonly { to: string; name: string; icon: IconName }[] = [
  { to: "/", name: "Overview", icon: "overview" },
  { to: "/sessions", name: "Sessions", icon: "sessions" },
  { to: "/tasks", name: "Tasks", icon: "tasks" },
  { to: "/skills", name: "Skills", icon: "skills" },
  { to: "/runs", name: "Runs", icon: "runs" },
  { to: "/disks", name: "Disks", icon: "disks" },
  { to: "/settings", name: "Settings", icon: "settings" },
];

export function Layout() {
  const [theme, choose] = useTheme();
  useRenamed();
  return (
    <div className="layout">
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <aside className="side">
        <div className="brand">
          <img src="/icon.svg" alt="" width="20" height="20" />
          Acontext
        </div>
        <ProjectMenu />
        <nav aria-label="Pages">
          {PLACES.map(({ to, name, icon }) => (
            <Link
              key={to}
              to={to}
              className="place"
              activeProps={{ "aria-current": "page" }}
              activeOptions={{ exact: to === "/", includeSearch: false }}
            >
              <Icon name={icon} />
              <span>{name}</span>
            </Link>
          ))}
        </nav>
        <div className="side-end">
          <IconButton
            icon={theme === "dark" ? "sun" : "moon"}
            label={theme === "dark" ? "Light colours" : "Dark colours"}
            onPress={() => choose(theme === "dark" ? "light" : "dark")}
          />
        </div>
      </aside>
      <main id="main" tabIndex={-1}>
        <Outlet />
      </main>
    </div>
  );
}

function useRenamed(): void {
  const { current } = useAccounts();
  const { data: project } = useProject();
  useEffect(() => {
    if (project && current && project.id === current.projectId && project.name !== current.name) {
      signIn({ ...current, name: project.name });
    }
  }, [project, current]);
}

function ProjectMenu() {
  const { all, current } = useAccounts();
  const [adds, setAdds] = useState(false);
  const navigate = useNavigate();
  const choose = (key: string) => {
    if (key === "add") return setAdds(true);
    if (key === "leave") return signOut();
    const account = all.find((one) => one.projectId === key);
    if (!account || account === current) return;
    // What the address names is another project's.
    void navigate({ to: "/" }).then(() => signIn(account));
  };
  return (
    <>
      <MenuTrigger>
        <AriaButton className="project" aria-label={`Project ${current?.name ?? ""}`}>
          <span>{current?.name || "project"}</span>
          <Icon name="down" />
        </AriaButton>
        <Popover className="popover" placement="bottom start">
          <Menu className="menu" onAction={(key) => choose(String(key))}>
            {all.map((account) => (
              <MenuItem
                className="menu-item"
                key={account.projectId}
                id={account.projectId}
                textValue={account.name}
              >
                {account.name}
                {account === current && <Icon name="check" />}
              </MenuItem>
            ))}
            <Separator className="menu-line" />
            <MenuItem className="menu-item" id="add">
              Open another project
            </MenuItem>
            <MenuItem className="menu-item" id="leave">
              Forget this key
            </MenuItem>
          </Menu>
        </Popover>
      </MenuTrigger>
      <AddProject isOpen={adds} onClose={() => setAdds(false)} />
    </>
  );
}
