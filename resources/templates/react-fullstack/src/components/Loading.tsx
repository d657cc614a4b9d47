export function Loading() {
  return (
    <div role="status" className="grid place-items-center py-12">
      <span className="size-4 animate-pulse rounded-full bg-ink" />
      <span className="sr-only">Loading…</span>
    </div>
  )
}
