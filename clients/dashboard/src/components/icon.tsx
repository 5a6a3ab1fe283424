// The few pictures that the pages share. They are always beside a word or a label.

const PATHS = {
  overview: "M4 13h5V4H4zM4 20h5v-4H4zM12 20h8v-9h-8zM12 4v4h8V4z",
  sessions: "M4 5h16v11H9l-5 4z",
  tasks: "M4 6l2 2 3-4M4 13l2 2 3-4M12 6h8M12 13h8M6 20h.01M12 20h8",
  skills: "M5 4h11a3 3 0 0 1 3 3v13H8a3 3 0 0 1-3-3zM9 9h6M9 13h4",
  runs: "M12 3a9 9 0 1 0 9 9M12 7v5l3 2M16 3l5 1-1 5",
  disks: "M4 7c0-2 16-2 16 0v10c0 2-16 2-16 0zM4 7c0 2 16 2 16 0M4 12c0 2 16 2 16 0",
  settings: "M4 7h10M18 7h2M4 17h2M10 17h10M14 5v4M8 15v4",
  folder: "M3 7V5h6l2 2h10v12H3z",
  page: "M6 3h8l4 4v14H6zM14 3v4h4",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  sop: "M5 6h1M9 6h10M5 12h1M9 12h10M5 18h1M9 18h10",
  text: "M5 6h14M5 11h14M5 16h8",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  check: "M4 12l5 5L20 6",
  cross: "M6 6l12 12M18 6 6 18",
  dot: "M12 12h.01",
  spin: "M12 3a9 9 0 1 1-9 9",
  clock: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l3 2",
  right: "M9 5l7 7-7 7",
  down: "M5 9l7 7 7-7",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  plus: "M12 5v14M5 12h14",
  sun: "M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10zM12 1v2M12 21v2M1 12h2M21 12h2M4 4l2 2M18 18l2 2M4 20l2-2M18 6l2-2",
  moon: "M20 14A8 8 0 0 1 10 4a8 8 0 1 0 10 10z",
  search: "M10 4a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM15 15l5 5",
  up: "M12 19V5M6 11l6-6 6 6",
  upload: "M12 16V4M7 9l5-5 5 5M4 20h16",
  download: "M12 4v12M7 11l5 5 5-5M4 20h16",
  tool: "M14 6a4 4 0 0 0-5 5l-6 6 3 3 6-6a4 4 0 0 0 5-5l-3 2-2-2z",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
  trash: "M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13",
  drag: "M9 6h.01M15 6h.01M9 12h.01M15 12h.01M9 18h.01M15 18h.01",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, className = "" }: { name: IconName; className?: string }) {
  return (
    <svg className={`icon ${className}`} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
