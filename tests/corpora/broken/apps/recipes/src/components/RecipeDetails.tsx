import { useState } from 'react'
import type { Recipe } from '../api/types'
import { describeIngredient } from '../lib/units'

export function RecipeDetails({ recipe }: { recipe: Recipe }) {
  const [servings, setServings] = useState(recipe.servings)
  const factor = servings / recipe.servings

  return (
    <article className="rounded-2xl bg-orange-50 p-6">
      <h2 className="text-xl font-semibold">{recipe.title}</h2>
      <label className="mt-3 block">
        Servings{' '}
        <input
          type="number"
          min={1}
          value={servings}
          onChange={(event) => setServings(Math.max(1, Number(event.target.value)))}
        />
      </label>

      {/* Amounts follow the servings at once. */}
      <ul className="mt-4 list-disc pl-5">
        {recipe.ingredients.map((ingredient) => (
          <li key={ingredient.name}>{describeIngredient(ingredient, factor)}</li>
        ))}
      </ul>
    </article>
  )
}
