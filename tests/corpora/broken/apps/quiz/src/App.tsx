import { useCallback, useEffect, useReducer, useState } from 'react'
import ProgressBar from '@/components/ProgressBar'
import { QuestionCard } from '@/components/QuestionCard'
import { gameReducer, initialState } from '@/game/reducer'
import { readStats, recordGame } from '@/lib/stats'
import type { PlayerStats } from '@/types'

export default function App() {
  const [game, dispatch] = useReducer(gameReducer, initialState)
  const [stats, setStats] = useState<PlayerStats>(readStats)

  const answer = useCallback((choice: number) => dispatch({ type: 'answer', choice }), [])

  // A finished game counts once.
  useEffect(() => {
    if (game.phase === 'finished') setStats(recordGame(game.score))
  }, [game.phase, game.score])

  if (game.phase === 'start') {
    return (
      <main className="grid min-h-dvh place-items-center">
        <div className="text-center">
          <h1 className="text-3xl font-semibold">Quiz night</h1>
          <p className="my-4">Best score so far: {stats.bestScore}</p>
          <button type="button" onClick={() => dispatch({ type: 'start' })}>
            Start
          </button>
        </div>
      </main>
    )
  }

  return (
    <main className="mx-auto max-w-xl space-y-6 p-6">
      <ProgressBar value={game.position} max={game.deck.length} />
      {game.phase === 'playing' ? (
        <QuestionCard question={game.deck[game.position]} onAnswer={answer} />
      ) : (
        <section className="text-center">
          <h2 className="text-2xl font-semibold">
            {game.score} of {game.deck.length}
          </h2>
          <button type="button" onClick={() => dispatch({ type: 'restart' })}>
            Play again
          </button>
        </section>
      )}
    </main>
  )
}
