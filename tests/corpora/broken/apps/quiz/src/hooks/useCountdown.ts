import { useEffect, useRef, useState } from 'react'

/** Counts down from `seconds`; calls `onEnd` once at zero. */
export function useCountdown(seconds: number, onEnd?: () => void): number {
  const [left, setLeft] = useState(seconds)
  const timer = useRef<ReturnType<typeof setInterval>>(undefined)

  useEffect(() => {
    timer.current = setInterval(() => setLeft((before) => Math.max(0, before - 1)), 1000)
    return () => clearInterval(timer.current)
  }, [])

  useEffect(() => {
    if (left > 0) return
    clearInterval(timer.current)
    onEnd?.()
  }, [left, onEnd])

  return left
}
