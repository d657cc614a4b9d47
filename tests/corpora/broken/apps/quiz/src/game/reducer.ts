import { questions, shuffled } from '../data/questions'
import type { Phase, Question } from '../types'

export interface GameState {
  phase: Phase
  deck: Question[]
  position: number
  score: number
}

export type GameAction = { type: 'start' } | { type: 'answer'; choice: number } | { type: 'restart' }

export const initialState: GameState = { phase: 'start', deck: [], position: 0, score: 0 }

/** One step of the game. */
export function gameReducer(state: GameState, action: GameAction): GameState {
  switch (action.type) {
    case 'start':
      return { phase: 'playing', deck: shuffled(questions), position: 0, score: 0 }
    case 'answer': {
      const current = state.deck[state.position]
      const score = current.correct === action.choice ? state.score + 1 : state.score
      const position = state.position + 1
      // The last answer ends the game.
      const phase: Phase = position === state.deck.length ? 'finished' : 'playing'
      return { ...state, position, score, phase }
    }
    case 'restart':
      return initialState
    default:
      return state
  }
}
