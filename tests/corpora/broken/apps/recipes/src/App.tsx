import { useState } from 'react'
import type { Recipe } from './api/types'
import { RecipeCard } from './components/RecipeCard'
import { RecipeDetails } from './components/RecipeDetails'
import { useRecipes } from './hooks/useRecipes'

const TAGS = ['vegan', 'quick']

export default function App() {
  const [query, setQuery] = useState('')
  const [tag, setTag] = useState<string>()
  const [selected, setSelected] = useState<Recipe | null>(null)
  const { recipes, loading, error } = useRecipes({ query, tag })

  return (
    <main className="mx-auto grid max-w-4xl gap-6 p-6 sm:grid-cols-2">
      <div className="space-y-3">
        <h1 className="text-2xl font-semibold">Recipes</h1>
        <input aria-label="Search" value={query} onChange={(event) => setQuery(event.target.value)} />
        <div className="flex gap-2">
          {TAGS.map((name) => (
            <button key={name} type="button" onClick={() => setTag(tag === name ? undefined : name)}>
              {name}
            </button>
          ))}
        </div>
        {error && <p role="alert">{error}</p>}
        {loading && <p role="status">Loading…</p>}
        {recipes.map((recipe) => (
          <RecipeCard key={recipe.id} recipe={recipe} selected={recipe.id === selected?.id} onSelect={setSelected} />
        ))}
      </div>
      {/* A new key starts the details anew, with the recipe's own servings. */}
      {selected && <RecipeDetails key={selected.id} recipe={selected} />}
    </main>
  )
}
