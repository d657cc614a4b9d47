import type { Recipe, SearchOptions } from './types'

export class ApiError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const RECIPES: Recipe[] = [
  {
    id: 'soup',
    title: 'Tomato soup',
    minutes: 25,
    servings: 4,
    ingredients: [
      { name: 'Tomatoes', amount: 800, unit: 'g' },
      { name: 'Stock', amount: 500, unit: 'ml' },
    ],
    tags: ['vegan', 'quick'],
    imageUrl: null,
  },
  {
    id: 'curry',
    title: 'Chickpea curry',
    minutes: 40,
    servings: 2,
    ingredients: [{ name: 'Chickpeas', amount: 400, unit: 'g' }],
    tags: ['vegan'],
    imageUrl: null,
  },
]

// There is no server: the answers come a moment later, as they would from one.
function answer<T>(value: T): Promise<T> {
  return new Promise((resolve) => setTimeout(() => resolve(value), 80))
}

export async function searchRecipes(options: SearchOptions = {}): Promise<Recipe[]> {
  const { query = '', tag, maxMinutes = Infinity } = options
  const found = RECIPES.filter(
    (recipe) =>
      recipe.title.toLowerCase().includes(query.toLowerCase()) &&
      recipe.minutes <= maxMinutes &&
      (tag === undefined || recipe.tags.includes(tag)),
  )
  return answer(found)
}

export async function fetchRecipe(id: string): Promise<Recipe> {
  const recipe = RECIPES.find((candidate) => candidate.id === id)
  if (!recipe) throw new ApiError(404, `There is no recipe ${id}.`)
  return answer(recipe)
}
