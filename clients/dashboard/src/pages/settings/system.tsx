// How the installation is: services, engines, models. Only its operator may know.

import type { EngineHealth, Health, ServiceHealth } from "@gen/acontext/health/v1/health_pb";
import { useState } from "react";

import { readHealth } from "../../api/health";
import { useFacts } from "../../api/projects";
import { Button, Card, Status, Time } from "../../components/basics";
import { TextField } from "../../components/fields";
import { ErrorLine, Snippet } from "../../components/states";
import { column, Table } from "../../components/table";
import { duration } from "../../components/words";
import { UserText } from "../../content/legible";

export function System() {
  const { apiUrl, operatorKeyFile } = useFacts();
  const [key, setKey] = useState("");
  const [health, setHealth] = useState<Health>();
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const look = async () => {
    setBusy(true);
    setError(undefined);
    try {
      setHealth(await readHealth(key.trim()));
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="stack">
      <Card title="Where programs go">
        <dl className="facts">
          <dt>Address</dt>
          <dd>
            <code>{apiUrl}</code>
          </dd>
          <dt>Contract</dt>
          <dd>
            <a href={`${apiUrl}/openapi.json`} target="_blank" rel="noopener noreferrer">
              openapi.json
            </a>
          </dd>
        </dl>
      </Card>
      <Card title="Health">
        <form
          className="form narrow"
          onSubmit={(event) => {
            event.preventDefault();
            void look();
          }}
        >
          <TextField
            label="The operator's key"
            type="password"
            value={key}
            onChange={setKey}
            help="ACONTEXT_ADMIN_KEY; a project's key does not open this. It is forgotten when you leave this page."
          />
          {operatorKeyFile && (
            <div>
              <p className="soft small">This system was started here, so your terminal knows it:</p>
              <Snippet text={`sed -n 's/^ACONTEXT_ADMIN_KEY=//p' '${operatorKeyFile}'`} />
            </div>
          )}
          <ErrorLine error={error} />
          <div>
            <Button type="submit" look="primary" isDisabled={isBusy || key.trim() === ""}>
              {health ? "Look again" : "Look how it is"}
            </Button>
          </div>
        </form>
        {health && <Shown health={health} />}
      </Card>
    </div>
  );
}

function Shown({ health }: { health: Health }) {
  return (
    <div className="stack">
      <p className="row">
        <Status value={health.healthy ? "success" : "failed"}>
          {health.healthy ? "Everything is well" : "Something is wrong"}
        </Status>
        <span className="faint small">
          looked <Time value={health.checkedAt} />
        </span>
      </p>
      <Problems lines={health.problems} />
      {health.notices.map((line) => (
        <p className="faint small" key={line}>
          {line}
        </p>
      ))}
      {health.services.map((service) => (
        <Service key={service.name} service={service} />
      ))}
    </div>
  );
}

function Problems({ lines }: { lines: readonly string[] }) {
  if (lines.length === 0) return null;
  return (
    <ul className="error-line">
      {lines.map((line) => (
        <li key={line}>{line}</li>
      ))}
    </ul>
  );
}

function Service({ service }: { service: ServiceHealth }) {
  const isWell = service.reachable && service.ready && service.problems.length === 0;
  return (
    <section className="stack" aria-label={service.name}>
      <h3 className="row">
        {service.name}
        <Status value={isWell ? "success" : "failed"}>
          {!service.reachable ? "does not answer" : service.ready ? "ready" : "not ready"}
        </Status>
        <span className="faint small">
          {[
            service.version && `version ${service.version}`,
            service.migration && `schema ${service.migration}`,
            service.outboxAgeSeconds !== undefined &&
              `announcements wait ${duration(service.outboxAgeSeconds)}`,
            service.unobservedAgeSeconds !== undefined &&
              `messages wait ${duration(service.unobservedAgeSeconds)}`,
            service.deadLetters ? `${service.deadLetters} events given up` : "",
          ]
            .filter(Boolean)
            .join(", ")}
        </span>
      </h3>
      <Problems lines={service.problems} />
      {service.engines.length > 0 && (
        <Table
          label={`Engines of ${service.name}`}
          rows={service.engines}
          idOf={(engine) => engine.name}
          columns={[
            column<EngineHealth>("name", "Engine", (engine) => engine.name),
            column<EngineHealth>("adapter", "Is", (engine) => (
              <UserText>{`${engine.adapter} ${engine.version ?? ""}`}</UserText>
            )),
            column<EngineHealth>("state", "State", (engine) => (
              <Status value={engine.reachable ? "success" : "failed"}>
                {engine.reachable ? "answers" : "does not answer"}
              </Status>
            )),
            column<EngineHealth>("latency", "Took", (engine) => (
              <span className="number">
                {engine.latencyMs === undefined ? "" : duration(engine.latencyMs / 1000)}
              </span>
            )),
            column<EngineHealth>("problem", "Problem", (engine) => (
              <UserText>{[engine.problem, engine.remedy].filter(Boolean).join(" ")}</UserText>
            )),
          ]}
        />
      )}
    </section>
  );
}
