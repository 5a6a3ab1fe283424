// The project's name, and how its sessions are observed and learned from.

import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  Project as ProjectMessage,
  ProjectSettings,
  ProjectSettingsSchema,
} from "@gen/acontext/session/v1/project_pb";
import { type ReactNode, useState } from "react";

import {
  useProject,
  useProjectSettings,
  useUpdateProject,
  useUpdateProjectSettings,
} from "../../api/projects";
import { Button, Card, IconButton, Id } from "../../components/basics";
import { Select, TextField } from "../../components/fields";
import { ErrorLine, Loaded } from "../../components/states";
import { toast } from "../../components/toasts";

export function Project() {
  const project = useProject();
  const settings = useProjectSettings();
  return (
    <div className="stack narrow">
      <Loaded query={project} lines={2}>
        {(found) => <Name project={found} key={found.name} />}
      </Loaded>
      <Loaded query={settings}>{(found) => <SettingsForm settings={found} />}</Loaded>
    </div>
  );
}

function Name({ project }: { project: ProjectMessage }) {
  const update = useUpdateProject();
  const [name, setName] = useState(project.name);
  return (
    <Card title="Project" actions={<Id value={project.id} />}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          update.mutate(
            { project: { name }, updateMask: { paths: ["name"] } },
            { onSuccess: () => toast("Renamed") },
          );
        }}
      >
        <TextField label="Name" value={name} onChange={setName} />
        <ErrorLine error={update.error} />
        <div>
          <Button type="submit" isDisabled={name.trim() === "" || name === project.name}>
            Rename
          </Button>
        </div>
      </form>
    </Card>
  );
}

/** A text for each setting; empty means its default. */
type Draft = Record<string, string>;

interface Known {
  /** As the contract calls it. */
  path: string;
  name: string;
  meaning: string;
  kind: "number" | "switch" | "text";
  read: (settings: ProjectSettings) => number | boolean | string | undefined;
}

const KNOWN: readonly Known[] = [
  {
    path: "task_tracking",
    name: "Observe sessions",
    meaning: "Whether tasks are observed at all. Default: yes.",
    kind: "switch",
    read: (settings) => settings.taskTracking,
  },
  {
    path: "buffer_turns",
    name: "Messages to wait for",
    meaning: "So many messages are observed without waiting for quiet. Default: 16.",
    kind: "number",
    read: (settings) => settings.bufferTurns,
  },
  {
    path: "buffer_idle_seconds",
    name: "Seconds of quiet",
    meaning: "After so much quiet a session is observed. Default: 8.",
    kind: "number",
    read: (settings) => settings.bufferIdleSeconds,
  },
  {
    path: "learning",
    name: "Learn from tasks",
    meaning: "Whether completed tasks teach skills. Default: yes.",
    kind: "switch",
    read: (settings) => settings.learning,
  },
  {
    path: "minimum_difficulty",
    name: "Difficulty to learn from",
    meaning: "Points below which a task teaches no steps; 0 learns everything. Default: 2.",
    kind: "number",
    read: (settings) => settings.minimumDifficulty,
  },
  {
    path: "confirmation",
    name: "Ask a person first",
    meaning: "Whether a learned skill waits for a word before it is kept. Default: no.",
    kind: "switch",
    read: (settings) => settings.confirmation,
  },
  {
    path: "search_threshold",
    name: "Search threshold",
    meaning: "Cosine distance beyond which a search gives no answer. Default: calibrated.",
    kind: "number",
    read: (settings) => settings.searchThreshold,
  },
  {
    path: "success_criteria",
    name: "When a task counts as success",
    meaning: "In your words, for models only.",
    kind: "text",
    read: (settings) => settings.successCriteria,
  },
  {
    path: "failure_criteria",
    name: "When a task counts as failed",
    meaning: "In your words, for models only.",
    kind: "text",
    read: (settings) => settings.failureCriteria,
  },
  {
    path: "monthly_token_budget",
    name: "Tokens a month",
    meaning: "After so many tokens models pause until the next month. Default: the server's.",
    kind: "number",
    read: (settings) => settings.monthlyTokenBudget,
  },
  {
    path: "rounds",
    name: "Rounds of a run",
    meaning: "In so many rounds a run of a model has to end. Default: 6.",
    kind: "number",
    read: (settings) => settings.rounds,
  },
];

const ROLES = ["observer", "distiller", "librarian", "searcher"] as const;

interface Rule {
  text: string;
  weight: "normal" | "critical";
}

function draftOf(settings: ProjectSettings): Draft {
  return Object.fromEntries(
    KNOWN.map((one) => {
      const value = one.read(settings);
      return [one.path, value === undefined ? "" : String(value)];
    }),
  );
}

const camel = (path: string) => path.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

function typed(known: Known, text: string): number | boolean | string | undefined {
  if (text.trim() === "") return undefined;
  if (known.kind === "number") return Number(text);
  return known.kind === "switch" ? text === "true" : text;
}

function problemOf(known: Known, text: string): string | undefined {
  return known.kind === "number" && Number.isNaN(Number(text)) ? "This is no number." : undefined;
}

function SettingsForm({ settings }: { settings: ProjectSettings }) {
  const update = useUpdateProjectSettings();
  const [draft, setDraft] = useState(() => draftOf(settings));
  const [models, setModels] = useState<Draft>(() => ({ ...settings.models }));
  const [rules, setRules] = useState<readonly Rule[]>(() =>
    settings.difficultyRules.map(({ text, weight }) => ({
      text,
      weight: weight === "critical" ? "critical" : "normal",
    })),
  );
  const isWrong = KNOWN.some((known) => problemOf(known, draft[known.path] ?? ""));
  const save = () => {
    const values = Object.fromEntries(
      KNOWN.map((known) => [camel(known.path), typed(known, draft[known.path] ?? "")]),
    );
    const chosen = Object.fromEntries(Object.entries(models).filter(([, name]) => name.trim()));
    const message = {
      ...values,
      models: chosen,
      difficultyRules: rules.filter((rule) => rule.text.trim() !== ""),
    } as MessageInitShape<typeof ProjectSettingsSchema>;
    update.mutate(
      {
        settings: message,
        updateMask: { paths: [...KNOWN.map((known) => known.path), "models", "difficulty_rules"] },
      },
      { onSuccess: () => toast("Saved; in force everywhere within 5 seconds") },
    );
  };
  return (
    <Card title="Observing and learning">
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        {KNOWN.map((known) => (
          <Field
            key={known.path}
            known={known}
            text={draft[known.path] ?? ""}
            onChange={(text) => setDraft({ ...draft, [known.path]: text })}
          />
        ))}
        <Group name="What else makes a task worth learning">
          {rules.map((rule, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rules are told apart by their place
            <div className="row" key={index}>
              <div className="grow">
                <TextField
                  label={`Rule ${index + 1}`}
                  isHiddenLabel
                  value={rule.text}
                  onChange={(text) => setRules(rules.with(index, { ...rule, text }))}
                />
              </div>
              <Select
                label={`Weight of rule ${index + 1}`}
                value={rule.weight}
                options={[
                  ["normal", "normal: 1 point"],
                  ["critical", "critical: 3 points"],
                ]}
                onChange={(weight) => setRules(rules.with(index, { ...rule, weight }))}
              />
              <IconButton
                icon="trash"
                label={`Remove rule ${index + 1}`}
                onPress={() => setRules(rules.filter((_, place) => place !== index))}
              />
            </div>
          ))}
          <div>
            <Button
              icon="plus"
              onPress={() => setRules([...rules, { text: "", weight: "normal" }])}
            >
              Add a rule
            </Button>
          </div>
        </Group>
        <Group name="Models, where they differ from the server's">
          {ROLES.map((role) => (
            <TextField
              key={role}
              label={role}
              value={models[role] ?? ""}
              onChange={(name) => setModels({ ...models, [role]: name })}
              placeholder="as the server says"
              code
            />
          ))}
        </Group>
        <ErrorLine error={update.error} />
        <div>
          <Button type="submit" look="primary" isDisabled={update.isPending || isWrong}>
            Save
          </Button>
        </div>
      </form>
    </Card>
  );
}

function Group({ name, children }: { name: string; children: ReactNode }) {
  return (
    <fieldset className="step-fields">
      <legend>{name}</legend>
      {children}
    </fieldset>
  );
}

function Field({
  known,
  text,
  onChange,
}: {
  known: Known;
  text: string;
  onChange: (text: string) => void;
}) {
  if (known.kind === "switch") {
    return (
      <div className="field">
        <Select
          label={known.name}
          showLabel
          value={text === "" ? "default" : text}
          options={[
            ["default", "As by default"],
            ["true", "Yes"],
            ["false", "No"],
          ]}
          onChange={(value) => onChange(value === "default" ? "" : value)}
        />
        <span className="help">{known.meaning}</span>
      </div>
    );
  }
  const problem = problemOf(known, text);
  return (
    <TextField
      label={known.name}
      value={text}
      onChange={onChange}
      help={known.meaning}
      placeholder={known.kind === "number" ? "default" : ""}
      {...(known.kind === "text" ? { lines: 2 } : {})}
      {...(problem ? { error: problem } : {})}
    />
  );
}
