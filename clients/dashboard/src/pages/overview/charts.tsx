// The charts of the overview, and the same figures as a table.

import type { DayStatistics } from "@gen/acontext/observer/v1/statistics_pb";
import type { SkillDay } from "@gen/acontext/space/v1/skill_service_pb";
import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactElement, type ReactNode, useState } from "react";
import {
  Bar,
  BarChart,
  CartesianGrid,
  Line,
  LineChart,
  ResponsiveContainer,
  Tooltip,
  XAxis,
  YAxis,
} from "recharts";

import { Button, Card } from "../../components/basics";
import { column, Table } from "../../components/table";
import { percent } from "../../components/words";

interface Row {
  date: string;
  rate: number | undefined;
  success: number;
  failed: number;
  running: number;
  pending: number;
  sessions: number;
  messages: number;
  perSession: number;
  tasksPerSession: number;
  learned: number;
  improved: number;
  served: number;
}

const shortDay = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

const dayOf = (date: unknown) => shortDay.format(new Date(`${date}T12:00:00`));

function rowsOf(days: readonly DayStatistics[], skillDays: readonly SkillDay[]): Row[] {
  const skills = new Map(skillDays.map((day) => [day.date, day]));
  return days.map((day) => ({
    date: day.date,
    rate: day.successRate,
    success: day.success,
    failed: day.failed,
    running: day.running,
    pending: day.pending,
    sessions: day.sessions,
    messages: day.messages,
    perSession: round(day.messagesPerSession),
    tasksPerSession: round(day.tasksPerSession),
    learned: skills.get(day.date)?.learned ?? 0,
    improved: skills.get(day.date)?.improved ?? 0,
    served: skills.get(day.date)?.served ?? 0,
  }));
}

const round = (value: number) => Math.round(value * 10) / 10;

type Place = "/tasks" | "/sessions" | "/skills";
/** Go to a list, narrowed to a day if one was pressed. */
type Go = (day: string | undefined) => void;
type Series = readonly [key: keyof Row, name: string, colour: string];

const TASKS: readonly Series[] = [
  ["success", "success", "var(--good)"],
  ["failed", "failed", "var(--bad)"],
  ["running", "running", "var(--busy)"],
  ["pending", "pending", "var(--wait)"],
];
const RATE: readonly Series[] = [["rate", "of the tasks that ended", "var(--good)"]];
const SESSIONS: readonly Series[] = [
  ["perSession", "messages a session", "var(--accent)"],
  ["tasksPerSession", "tasks a session", "var(--wait)"],
];
const VOLUME: readonly Series[] = [
  ["messages", "messages", "var(--accent)"],
  ["sessions", "sessions", "var(--busy)"],
];
const SKILLS: readonly Series[] = [
  ["learned", "learned", "var(--good)"],
  ["improved", "improved", "var(--accent)"],
  ["served", "served", "var(--busy)"],
];

export default function Charts({
  days,
  skillDays,
  zone,
}: {
  days: readonly DayStatistics[];
  skillDays: readonly SkillDay[];
  zone: string | undefined;
}) {
  const rows = rowsOf(days, skillDays);
  const navigate = useNavigate();
  const to = (place: Place) => (day: string | undefined) =>
    void navigate({ to: place, search: day ? { day, zone } : {} });
  const [toTasks, toSessions, toSkills] = [to("/tasks"), to("/sessions"), to("/skills")];
  const [asTable, setAsTable] = useState(false);
  return (
    <>
      <div className="row end">
        <Button look="quiet" onPress={() => setAsTable(!asTable)}>
          {asTable ? "Show charts" : "Show as a table"}
        </Button>
      </div>
      {asTable ? (
        <DayTable rows={rows} zone={zone} />
      ) : (
        <div className="charts">
          <Chart title="Success rate" series={RATE} onPress={toTasks}>
            {lines(rows, RATE, toTasks, { domain: [0, 1], format: percent })}
          </Chart>
          <Chart title="Tasks by status" series={TASKS} onPress={toTasks}>
            {bars(rows, TASKS, toTasks)}
          </Chart>
          <Chart title="Messages observed" series={VOLUME} onPress={toSessions}>
            {lines(rows, VOLUME, toSessions)}
          </Chart>
          <Chart title="A session has" series={SESSIONS} onPress={toSessions}>
            {lines(rows, SESSIONS, toSessions)}
          </Chart>
          <Chart title="Skills" series={SKILLS} onPress={toSkills}>
            {bars(rows, SKILLS, toSkills)}
          </Chart>
        </div>
      )}
    </>
  );
}

function Chart({
  title,
  series,
  onPress,
  children,
}: {
  title: string;
  series: readonly Series[];
  onPress: Go;
  children: ReactElement;
}) {
  return (
    <Card
      title={title}
      actions={
        <Button look="quiet" onPress={() => onPress(undefined)}>
          See them
        </Button>
      }
    >
      <div className="chart">
        <ResponsiveContainer width="100%" height="100%">
          {children}
        </ResponsiveContainer>
      </div>
      <div className="legend">
        {series.map(([key, name, colour]) => (
          <span key={key} style={{ "--swatch": colour } as React.CSSProperties}>
            {name}
          </span>
        ))}
      </div>
    </Card>
  );
}

const axes = (format?: (value: number) => string, domain?: [number, number]): ReactNode => [
  <CartesianGrid key="grid" vertical={false} stroke="var(--line)" />,
  <XAxis
    key="x"
    dataKey="date"
    tickFormatter={dayOf}
    tickLine={false}
    axisLine={false}
    minTickGap={24}
    tick={{ fill: "var(--faint)", fontSize: 11 }}
  />,
  <YAxis
    key="y"
    width={44}
    tickLine={false}
    axisLine={false}
    allowDecimals={domain !== undefined}
    tick={{ fill: "var(--faint)", fontSize: 11 }}
    {...(domain ? { domain } : {})}
    {...(format ? { tickFormatter: format } : {})}
  />,
  <Tooltip
    key="tip"
    labelFormatter={dayOf}
    isAnimationActive={false}
    wrapperClassName="chart-tip"
    contentStyle={{ background: "transparent", border: 0, padding: 0 }}
    cursor={{ fill: "var(--line)", fillOpacity: 0.35, stroke: "var(--line)" }}
    {...(format ? { formatter: (value) => format(Number(value)) } : {})}
  />,
];

/** Read which day of a chart was pressed. */
const pressed =
  (rows: readonly Row[], go: Go) =>
  ({ activeLabel }: { activeLabel?: unknown }) =>
    go(rows.find((row) => row.date === activeLabel)?.date);

function bars(rows: Row[], series: readonly Series[], go: Go): ReactElement {
  return (
    <BarChart
      data={rows}
      onClick={pressed(rows, go)}
      margin={{ top: 4, right: 4, bottom: 0, left: 0 }}
    >
      {axes()}
      {series.map(([key, name, colour]) => (
        <Bar
          key={key}
          dataKey={key}
          name={name}
          stackId="all"
          fill={colour}
          maxBarSize={36}
          isAnimationActive={false}
          cursor="pointer"
        />
      ))}
    </BarChart>
  );
}

function lines(
  rows: Row[],
  series: readonly Series[],
  go: Go,
  how: { domain?: [number, number]; format?: (value: number) => string } = {},
): ReactElement {
  return (
    <LineChart
      data={rows}
      onClick={pressed(rows, go)}
      margin={{ top: 4, right: 8, bottom: 0, left: 0 }}
    >
      {axes(how.format, how.domain)}
      {series.map(([key, name, colour]) => (
        <Line
          key={key}
          dataKey={key}
          name={name}
          stroke={colour}
          strokeWidth={2}
          dot={{ r: 2.5, fill: colour, strokeWidth: 0 }}
          isAnimationActive={false}
          connectNulls
        />
      ))}
    </LineChart>
  );
}

function DayTable({ rows, zone }: { rows: readonly Row[]; zone: string | undefined }) {
  const figures = (series: readonly Series[], to: Place) =>
    series.map(([key, name]) =>
      column<Row>(key, name, (row) => (
        <Link to={to} search={{ day: row.date, zone }} className="number">
          {row[key]}
        </Link>
      )),
    );
  return (
    <Table
      label="Figures per day"
      idOf={(row) => row.date}
      rows={rows}
      columns={[
        column<Row>("date", "Day", (row) => row.date),
        column<Row>("rate", "Success rate", (row) =>
          row.rate === undefined ? "none" : percent(row.rate),
        ),
        ...figures(TASKS, "/tasks"),
        ...figures([...VOLUME, ...SESSIONS], "/sessions"),
        ...figures(SKILLS, "/skills"),
      ]}
    />
  );
}
