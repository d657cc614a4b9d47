import { Difficulty, type Question } from '../types'

export const questions: Question[] = [
  {
    id: 1,
    text: 'Which planet is known as the red planet?',
    answers: ['Venus', 'Mars', 'Jupiter'],
    correct: 1,
    difficulty: Difficulty.Easy,
  },
  {
    id: 2,
    text: 'How many strings has a violin?',
    answers: ['Four', 'Five', 'Six'],
    correct: 0,
    difficulty: Difficulty.Medium,
  },
  {
    id: 3,
    text: "What is the chemical symbol of tungsten's ore?",
    answers: ['Sn', 'Pb', 'W'],
    correct: 2,
    difficulty: Difficulty.Hard,
  },
]

/** In another order for each game. */
export function shuffled<T>(items: readonly T[]): T[] {
  const copy = [...items]
  for (let index = copy.length - 1; index > 0; index--) {
    const other = Math.floor(Math.random() * (index + 1))
    ;[copy[index], copy[other]] = [copy[other], copy[index]]
  }
  return copy
}
