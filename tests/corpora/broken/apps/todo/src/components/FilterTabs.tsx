import type { Filter } from '../types'

const LABELS: Record<Filter, string> = {
  all: 'All',
  active: 'Active',
  done: 'Done',
}

interface FilterTabsProps {
  value: Filter
  onChange: (filter: Filter) => void
}

/** Which part of the list is shown. */
export default function FilterTabs({ value, onChange }: FilterTabsProps) {
  const filters = Object.keys(LABELS) as Filter[]
  return (
    <div role="group" aria-label="Show" className="flex gap-1">
      {filters.map((filter) => (
        <button
          key={filter}
          type="button"
          aria-pressed={filter === value}
          onClick={() => onChange(filter)}
          className="rounded-full px-3 py-1 aria-pressed:bg-zinc-900 aria-pressed:text-white"
        >
          {LABELS[filter]}
        </button>
      ))}
    </div>
  )
}
