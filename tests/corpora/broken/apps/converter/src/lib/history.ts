export interface Entry {
  value: number
  from: string
  to: string
  result: number
  at: Date
}

const MOST = 10
const entries: Entry[] = []

export function remember(entry: Entry): void {
  entries.unshift(entry)
  // Older ones are forgotten.
  entries.length = Math.min(entries.length, MOST)
}

export function history(): readonly Entry[] {
  return entries
}

/** Whole seconds since an entry was made. */
export function ageOf(entry: Entry, now: Date = new Date()): number {
  return Math.floor((now.getTime() - entry.at.getTime()) / 1000)
}
