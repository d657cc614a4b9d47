import type { Recipe } from '../api/types'

interface RecipeCardProps {
  recipe: Recipe
  selected: boolean
  onSelect?: (recipe: Recipe) => void
}

/** A recipe in the list. */
export function RecipeCard({ recipe, selected, onSelect }: RecipeCardProps) {
  return (
    <button
      type="button"
      aria-pressed={selected}
      onClick={() => onSelect?.(recipe)}
      className="w-full rounded-xl border p-4 text-left aria-pressed:border-orange-500"
    >
      {recipe.imageUrl && <img src={recipe.imageUrl} alt="" className="mb-3 rounded-lg" />}
      <span className="font-medium">{recipe.title}</span>
      <span className="block text-sm text-zinc-500">
        {recipe.minutes} min · {recipe.tags.join(', ')}
      </span>
    </button>
  )
}
