import type { ReactNode } from 'react'

/** The narrow card that sign-in and sign-up stand in. */
export function AccountCard({ title, children, below }: { title: string; children: ReactNode; below: ReactNode }) {
  return (
    <div className="m-auto w-full max-w-sm">
      <section className="rounded-2xl border border-line bg-card p-7 shadow-card">
        <h1 className="mb-6 text-xl font-semibold tracking-tight">{title}</h1>
        {children}
      </section>
      <p className="mt-5 text-center text-sm text-muted">{below}</p>
    </div>
  )
}
