interface ProgressBarProps {
  value: number
  max: number
  label?: string
}

const ProgressBar = ({ value, max, label = 'Progress' }: ProgressBarProps) => {
  const percent = max === 0 ? 0 : Math.round((value / max) * 100)

  return (
    <div role="progressbar" aria-label={label} aria-valuenow={percent} className="h-2 rounded-full bg-zinc-200">
      {/* Widths come from data, which no class can know. */}
      <div className="h-2 rounded-full bg-indigo-600" style={{ width: `${percent}%` }} />
    </div>
  )
}

export default ProgressBar
