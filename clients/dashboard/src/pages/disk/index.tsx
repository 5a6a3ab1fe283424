export function DiskPage() {
  return null;
}
