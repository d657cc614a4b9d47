import type { ReactNode } from 'react'

export interface CardProps {
  title: string
  children: ReactNode
  footer?: ReactNode
  tone?: 'plain' | 'warning'
}

/** The white box that everything stands in. */
export function Card({ title, children, footer, tone = 'plain' }: CardProps) {
  return (
    <section className={`rounded-2xl border p-5 ${tone === 'warning' ? 'border-amber-400' : 'border-zinc-200'}`}>
      <h2 className="mb-3 font-semibold">{title}</h2>
      {children}
      {footer && <footer className="mt-4 text-sm text-zinc-500">{footer}</footer>}
    </section>
  )
}
