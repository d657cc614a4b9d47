import { useEffect } from 'react'
import { Difficulty, type Question } from '../types'

type Props = {
  question: Question
  onAnswer: (choice: number) => void
  secondsLeft?: number
}

const TONE: Record<Difficulty, string> = {
  [Difficulty.Easy]: 'text-emerald-600',
  [Difficulty.Medium]: 'text-amber-600',
  [Difficulty.Hard]: 'text-rose-600',
}

export const QuestionCard = ({ question, onAnswer, secondsLeft }: Props) => {
  // The digits answer as well as the buttons do.
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const choice = Number(event.key) - 1
      if (choice >= 0 && choice < question.answers.length) onAnswer(choice)
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [question, onAnswer])

  return (
    <article className="space-y-4 rounded-2xl bg-white p-6 shadow">
      <p className={TONE[question.difficulty]}>{question.difficulty}</p>
      <h2 className="text-xl font-semibold">{question.text}</h2>
      {secondsLeft !== undefined && <p className="text-sm">{secondsLeft} s</p>}
      <div className="grid gap-2">
        {question.answers.map((answer, index) => (
          <button key={answer} type="button" onClick={() => onAnswer(index)} className="rounded-lg border p-3 text-left">
            {answer}
          </button>
        ))}
      </div>
    </article>
  )
}
