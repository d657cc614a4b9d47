export type ButtonKind = 'primary' | 'quiet' | 'danger'

const KINDS: Record<ButtonKind, string> = {
  primary: 'bg-ink text-paper hover:bg-ink/85',
  quiet: 'border border-line bg-card text-ink hover:bg-paper',
  danger: 'text-danger hover:bg-danger/10',
}

/** The look of a button, also for links that act as one. */
export function buttonClass(kind: ButtonKind = 'primary', more = ''): string {
  return `inline-flex h-10 items-center justify-center rounded-lg px-4 text-sm font-medium transition-colors disabled:opacity-50 ${KINDS[kind]} ${more}`
}
