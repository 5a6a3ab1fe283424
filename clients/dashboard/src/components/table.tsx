// A plain table on TanStack Table: the model is its, the markup ours.

import { type ColumnDef, type RowData, tableFeatures, useTable } from "@tanstack/react-table";
import type { ReactNode } from "react";

const features = tableFeatures({});

export type Columns<Row extends RowData> = ColumnDef<typeof features, Row, unknown>[];

export function Table<Row extends RowData>({
  label,
  columns,
  rows,
  idOf,
  selected,
}: {
  label: string;
  columns: Columns<Row>;
  rows: readonly Row[];
  idOf: (row: Row) => string;
  selected?: string | undefined;
}) {
  const table = useTable({ features, columns, data: rows as Row[], getRowId: idOf });
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways, so the keyboard has to reach it
    <section className="table-scroll" aria-label={label} tabIndex={0}>
      <table className="table">
        <thead>
          {table.getHeaderGroups().map((group) => (
            <tr key={group.id}>
              {group.headers.map((header) => (
                <th key={header.id} scope="col">
                  <table.FlexRender header={header} />
                </th>
              ))}
            </tr>
          ))}
        </thead>
        <tbody>
          {table.getRowModel().rows.map((row) => (
            <tr key={row.id} aria-current={row.id === selected ? "true" : undefined}>
              {row.getAllCells().map((cell) => (
                <td key={cell.id}>
                  <table.FlexRender cell={cell} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Make a column that shows something of a row. */
export function column<Row extends RowData>(
  id: string,
  header: string,
  cell: (row: Row) => ReactNode,
): ColumnDef<typeof features, Row, unknown> {
  return { id, header, cell: ({ row }) => cell(row.original) } as ColumnDef<
    typeof features,
    Row,
    unknown
  >;
}
