// One disk: its folders, its files, and what is found in them.

import type { Artifact } from "@gen/acontext/disk/v1/artifact_pb";
import { getRouteApi, Link } from "@tanstack/react-router";

import { useFolder, useGlob, useGrep } from "../../api/disks";
import { useFacts } from "../../api/projects";
import { Id, PageHead, Time } from "../../components/basics";
import { SearchField } from "../../components/fields";
import { Icon } from "../../components/icon";
import { Empty, ErrorState, Loaded } from "../../components/states";
import { column, Table } from "../../components/table";
import { shortId, size } from "../../components/words";
import { UserText } from "../../content/legible";
import { FileView } from "./file";
import { Uploads } from "./uploads";

const route = getRouteApi("/disks/$diskId");

export function DiskPage() {
  const { diskId } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const path = search.path ?? "/";
  return (
    <>
      <PageHead
        title={`Disk ${shortId(diskId)}`}
        above={<Link to="/disks">Disks</Link>}
        about={<Id value={diskId} />}
      />
      <div className="toolbar">
        <SearchField
          label="Find files by their text"
          placeholder="In texts: a regular expression"
          value={search.grep ?? ""}
          onSearch={(grep) =>
            void navigate({ search: { path: search.path, grep: grep || undefined } })
          }
        />
        <SearchField
          label="Find files by their path"
          placeholder="By path: **/*.md"
          value={search.glob ?? ""}
          onSearch={(glob) =>
            void navigate({ search: { path: search.path, glob: glob || undefined } })
          }
        />
      </div>
      <div className={search.file ? "split even" : "stack"}>
        <div className="stack">
          {search.grep ? (
            <Grep diskId={diskId} query={search.grep} />
          ) : search.glob ? (
            <Glob diskId={diskId} query={search.glob} />
          ) : (
            <>
              <Trail path={path} />
              <Folder diskId={diskId} path={path} />
              <Uploads diskId={diskId} path={path} />
            </>
          )}
        </div>
        {search.file && <FileView key={search.file} diskId={diskId} filePath={search.file} />}
      </div>
    </>
  );
}

function Trail({ path }: { path: string }) {
  const names = path.split("/").filter(Boolean);
  return (
    <nav className="row" aria-label="Path">
      <Link to="." search={(before: object) => ({ ...before, path: undefined })}>
        /
      </Link>
      {names.map((name, index) => {
        const there = `/${names.slice(0, index + 1).join("/")}/`;
        return (
          <Link key={there} to="." search={(before: object) => ({ ...before, path: there })}>
            <UserText>{`${name}/`}</UserText>
          </Link>
        );
      })}
    </nav>
  );
}

function Folder({ diskId, path }: { diskId: string; path: string }) {
  const folder = useFolder(diskId, path);
  const { apiUrl } = useFacts();
  return (
    <Loaded query={folder}>
      {({ artifacts, directories }) =>
        artifacts.length + directories.length > 0 ? (
          <Files artifacts={artifacts} directories={directories} path={path} />
        ) : (
          <Empty
            title="Nothing here yet"
            snippet={`curl -s '${apiUrl}/api/v1/disk/${diskId}/artifact' \\
  -H "Authorization: Bearer $ACONTEXT_API_KEY" -F file=@report.md -F file_path=${path}`}
          >
            Drop a file below, or send one by a program:
          </Empty>
        )
      }
    </Loaded>
  );
}

type Row = { directory: string } | { artifact: Artifact };

const pathOf = (artifact: Artifact) => `${artifact.path}${artifact.filename}`;

function sizeOf(artifact: Artifact): string {
  const info = artifact.meta?.["__artifact_info__"] as { size?: number } | undefined;
  return typeof info?.size === "number" ? size(info.size) : "";
}

function Files({
  artifacts,
  directories = [],
  path,
}: {
  artifacts: readonly Artifact[];
  directories?: readonly string[];
  path?: string;
}) {
  const { file } = route.useSearch();
  const rows: Row[] = [
    ...directories.map((directory) => ({ directory })),
    ...artifacts.map((artifact) => ({ artifact })),
  ];
  return (
    <Table
      label="Files"
      rows={rows}
      selected={file}
      idOf={(row) => ("directory" in row ? `${row.directory}/` : pathOf(row.artifact))}
      columns={[
        column<Row>("name", "Name", (row) =>
          "directory" in row ? (
            <Link
              to="."
              search={(before: object) => ({
                ...before,
                path: `${path ?? "/"}${row.directory}/`,
                file: undefined,
              })}
              className="row"
            >
              <Icon name="folder" />
              <UserText>{row.directory}</UserText>
            </Link>
          ) : (
            <Link
              to="."
              search={(before: object) => ({ ...before, file: pathOf(row.artifact) })}
              className="row"
            >
              <Icon name="file" />
              <UserText>{path ? row.artifact.filename : pathOf(row.artifact)}</UserText>
            </Link>
          ),
        ),
        column<Row>("size", "Size", (row) => (
          <span className="number">{"artifact" in row ? sizeOf(row.artifact) : ""}</span>
        )),
        column<Row>("changed", "Changed", (row) =>
          "artifact" in row ? <Time value={row.artifact.updatedAt} /> : "",
        ),
      ]}
    />
  );
}

function Grep({ diskId, query }: { diskId: string; query: string }) {
  return <Results query={useGrep(diskId, query)} what="text" />;
}

function Glob({ diskId, query }: { diskId: string; query: string }) {
  return <Results query={useGlob(diskId, query)} what="path" />;
}

function Results({
  query,
  what,
}: {
  query: { data: { items: Artifact[] } | undefined; error: unknown; refetch: () => unknown };
  what: string;
}) {
  if (query.error) return <ErrorState error={query.error} />;
  return (
    <Loaded query={query}>
      {({ items }) =>
        items.length > 0 ? (
          <Files artifacts={items} />
        ) : (
          <Empty title="No file fits">{`Nothing on this disk has such a ${what}.`}</Empty>
        )
      }
    </Loaded>
  );
}
