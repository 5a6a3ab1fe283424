// The project's figures; each leads to what it counts.

import { getRouteApi, Link, type LinkProps } from "@tanstack/react-router";
import { lazy, type ReactNode, Suspense, useEffect, useMemo, useState } from "react";

import { useFacts } from "../../api/projects";
import {
  useDiskStatistics,
  useSessionStatistics,
  useSkillStatistics,
  useTaskStatistics,
} from "../../api/statistics";
import { Card, PageHead } from "../../components/basics";
import { Select } from "../../components/fields";
import { Empty, ErrorState, Loading } from "../../components/states";
import { count, duration, percent, size } from "../../components/words";
import { createByCurl } from "../session/snippets";

const Charts = lazy(() => import("./charts"));
const route = getRouteApi("/");

const RANGES = [
  ["7", "7 days"],
  ["30", "30 days"],
  ["90", "90 days"],
] as const;
type Range = (typeof RANGES)[number][0];

export function Overview() {
  const { days = 7, zone } = route.useSearch();
  const navigate = route.useNavigate();
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const timeZone = zone ?? here;
  const zones = useMemo(() => zonesWith(here, timeZone), [here, timeZone]);
  return (
    <>
      <PageHead title="Overview">
        <Select
          label="Range"
          value={String(days) as Range}
          options={RANGES}
          onChange={(chosen) =>
            void navigate({
              search: (before) => ({
                ...before,
                days: chosen === "7" ? undefined : chosen === "30" ? 30 : 90,
              }),
            })
          }
        />
        <Select
          label="Time zone"
          value={timeZone}
          options={zones}
          onChange={(chosen) =>
            void navigate({
              search: (before) => ({ ...before, zone: chosen === here ? undefined : chosen }),
            })
          }
        />
      </PageHead>
      <Figures days={days} timeZone={timeZone} zone={zone} />
    </>
  );
}

function zonesWith(...first: string[]): (readonly [string, string])[] {
  const all = [...new Set([...first, "UTC", ...Intl.supportedValuesOf("timeZone")])];
  return all.map((zone) => [zone, zone.replaceAll("_", " ")] as const);
}

function Figures({
  days,
  timeZone,
  zone,
}: {
  days: number;
  timeZone: string;
  zone: string | undefined;
}) {
  const tasks = useTaskStatistics(days, timeZone);
  const skills = useSkillStatistics(days, timeZone);
  const sessions = useSessionStatistics();
  const disks = useDiskStatistics();
  const { apiUrl } = useFacts();
  const isPainted = useIsPainted(tasks.data && skills.data && sessions.data && disks.data);
  const error = tasks.error ?? skills.error ?? sessions.error ?? disks.error;
  if (error) return <ErrorState error={error} retry={() => void tasks.refetch()} />;
  if (!tasks.data || !skills.data || !sessions.data || !disks.data) return <Loading lines={8} />;
  if (sessions.data.sessions === 0) {
    return (
      <Empty title="Nothing is stored yet" snippet={createByCurl(apiUrl)}>
        Figures appear with the first session. Open one on the page Sessions, or by a program:
      </Empty>
    );
  }
  const success = sum(tasks.data.days, (day) => day.success);
  const failed = sum(tasks.data.days, (day) => day.failed);
  const served = sum(skills.data.days, (day) => day.served);
  const stored = sessions.data.messageBytes + disks.data.bytes;
  const { observationLagSeconds: lag } = tasks.data;
  return (
    <>
      <div className="figures">
        <Figure name="Success rate" link={{ to: "/tasks" }}>
          {success + failed > 0 ? percent(success / (success + failed)) : "none yet"}
        </Figure>
        <Figure name="Sessions" link={{ to: "/sessions" }}>
          {count(sessions.data.sessions)}
        </Figure>
        <Figure name="Messages" link={{ to: "/sessions" }}>
          {count(sessions.data.messages)}
        </Figure>
        <Figure name="Tokens" link={{ to: "/sessions" }}>
          {count(sessions.data.tokens)}
        </Figure>
        <Figure
          name="Waits to be observed"
          link={{ to: "/sessions", search: { observing: "pending" } }}
        >
          {lag > 0 ? `for ${duration(lag)}` : "nothing"}
        </Figure>
        <Figure name="Skills" link={{ to: "/skills" }}>
          {count(skills.data.skills)}
        </Figure>
        <Figure name="Skills served" link={{ to: "/skills" }}>
          {count(served)}
        </Figure>
        <Figure name="Wait for a person" link={{ to: "/skills" }}>
          {count(skills.data.confirmations)}
        </Figure>
        <Figure name="Stored" link={{ to: "/disks" }}>
          {size(stored)}
        </Figure>
        <Figure name="Artifacts" link={{ to: "/disks" }}>
          {count(disks.data.artifacts)}
        </Figure>
        <Figure name="Users" link={{ to: "/settings", search: { tab: "users" } }}>
          {count(sessions.data.users)}
        </Figure>
      </div>
      {isPainted ? (
        <Suspense fallback={<NoCharts />}>
          <Charts days={tasks.data.days} skillDays={skills.data.days} zone={zone} />
        </Suspense>
      ) : (
        <NoCharts />
      )}
    </>
  );
}

/** Say whether what is there has been painted, so that heavier things wait until then. */
function useIsPainted(content: unknown): boolean {
  const isThere = content !== undefined;
  const [isPainted, setPainted] = useState(false);
  useEffect(() => {
    if (!isThere || isPainted) return;
    // A frame is asked for before it is painted; a task behind it runs after.
    let task = 0;
    const frame = requestAnimationFrame(() => {
      task = window.setTimeout(() => setPainted(true));
    });
    return () => {
      cancelAnimationFrame(frame);
      clearTimeout(task);
    };
  }, [isThere, isPainted]);
  return isPainted;
}

/** The charts' places, so that nothing jumps when they come. */
function NoCharts() {
  return (
    <div className="charts">
      {["Success rate", "Tasks by status", "Messages observed", "A session has", "Skills"].map(
        (title) => (
          <Card title={title} key={title}>
            <div className="chart" />
          </Card>
        ),
      )}
    </div>
  );
}

function sum<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}

function Figure({ name, link, children }: { name: string; link: LinkProps; children: ReactNode }) {
  return (
    <Link {...link} className="figure">
      <div className="figure-name">{name}</div>
      <div className="figure-value">{children}</div>
    </Link>
  );
}
