/** What went wrong, or well, said aloud by screen readers; takes no room where there is nothing to say. */
export function Message({ error, success }: { error?: string; success?: string }) {
  return (
    <div aria-live="polite">
      {error && <p className="rounded-lg bg-danger/10 px-3 py-2 text-sm text-danger">{error}</p>}
      {success && !error && <p className="rounded-lg bg-good/10 px-3 py-2 text-sm text-good">{success}</p>}
    </div>
  )
}
