export interface Question {
  id: number
  text: string
  answers: string[]
  /** Index into `answers`. */
  correct: number
  difficulty: Difficulty
}

export enum Difficulty {
  Easy = 'easy',
  Medium = 'medium',
  Hard = 'hard',
}

export type Phase = 'start' | 'playing' | 'finished'

export interface PlayerStats {
  bestScore: number
  gamesPlayed: number
}
