import type { PlayerStats } from '../types'

const KEY = 'quiz-stats'
const NONE: PlayerStats = { bestScore: 0, gamesPlayed: 0 }

export function readStats(): PlayerStats {
  const text = localStorage.getItem(KEY)
  if (text === null) return NONE
  try {
    return { ...NONE, ...JSON.parse(text) }
  } catch (error) {
    console.warn('The statistics cannot be read:', error instanceof Error ? error.message : String(error))
    return NONE
  }
}

/** Counts a finished game. */
export function recordGame(score: number): PlayerStats {
  const before = readStats()
  const after = { bestScore: Math.max(before.bestScore, score), gamesPlayed: before.gamesPlayed + 1 }
  localStorage.setItem(KEY, JSON.stringify(after))
  return after
}
